"""The backends: one set of vectors, whatever runs the model; what is not there, or is broken, is a clear error."""

import importlib.util

import numpy as np
import pytest

from resources import embedding_backend
from resources.embedder import Embedder
from resources.embedding_backend import REFERENCE, Variant, pad_token, threads
from resources.embedding_choice import MIN_OVERLAP, overlap, probe_texts
from resources.embedding_export import export_path
from resources.errors import ConfigurationError, EmbeddingError, StorageError

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
TEXTS = ["The loom weaves flowers.", "é 日本 🎉", "def merge(counts): return sum(counts)", "", "word " * 600]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("embedding")


@pytest.fixture(scope="module")
def reference():
    return Embedder(MODEL)


@pytest.fixture(params=["onnxruntime", "openvino"], scope="module")
def graph(request, cache, reference):
    """A graph backend, straight: whether it may be used is measured elsewhere."""
    for package in (request.param, "onnx"):
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} is not installed")
    return Embedder(MODEL, backend=request.param, cache=cache)._load(Variant(request.param, "float32"))


def test_an_exported_model_makes_the_vectors_of_torch_whatever_the_order_and_length(graph, reference):
    np.testing.assert_allclose(graph.encode(TEXTS), reference.encode(TEXTS), atol=2e-5)
    np.testing.assert_allclose(graph.encode(TEXTS[::-1])[::-1], reference.encode(TEXTS), atol=2e-5)


def test_an_exported_model_finds_the_neighbours_that_the_measured_reference_finds(graph, reference):
    probes = probe_texts()[-24:]
    assert overlap(graph.encode(probes), reference._backend(REFERENCE).encode(probes), k=5) >= MIN_OVERLAP


def test_the_export_is_one_file_under_the_models_digest_and_made_once(graph, cache, reference):
    file = export_path(cache, reference.digest)
    assert sorted(path.name for path in file.parent.iterdir()) == ["model.onnx"]
    before = file.stat().st_mtime_ns
    Embedder(MODEL, cache=cache)._load(Variant("onnxruntime", "float32"))
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_broken_export_is_named(tmp_path, backend):
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    file = tmp_path / "model.onnx"
    file.write_bytes(b"not a graph")
    with pytest.raises(StorageError, match=r"model\.onnx.*made again"):
        embedding_backend.graph(Variant(backend, "float32"), file, 1)


def test_a_backend_that_is_not_installed_names_its_extra(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openvino" else found(name))
    with pytest.raises(ConfigurationError, match="extra 'openvino'"):
        Embedder(MODEL, backend="openvino", cache=tmp_path).encode(["text"])
    assert all(each.backend != "openvino" for each in Embedder(MODEL, backend="auto", cache=tmp_path)._candidates)


def test_a_precision_that_no_backend_has_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="no backend 'onnxruntime' in bfloat16"):
        Embedder(MODEL, backend="onnxruntime", precision="bfloat16", cache=tmp_path).encode(["text"])


def test_threads_are_those_that_are_allowed(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert threads() >= 1


def test_the_padding_is_the_models_own(reference):
    assert pad_token(reference._tokenizer) == "[PAD]"


class Broken:
    def __init__(self, vectors):
        self._vectors = np.asarray(vectors, dtype=np.float32)

    def encode(self, texts):
        return self._vectors


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.full((1, 384), np.nan), "1 of 1 vectors are not finite"),
        (np.zeros((1, 384)), "1 of 1 vectors are not finite or have no length"),
        (np.ones((1, 7)), r"shape \(1, 7\), not of dimension 384"),
    ],
)
def test_what_is_no_vector_is_an_error_that_says_so(vectors, message):
    embedder = Embedder(MODEL)
    embedder._loaded[REFERENCE] = Broken(vectors)
    with pytest.raises(EmbeddingError, match=message):
        embedder.encode(["text"])


def test_no_texts_are_no_vectors_and_an_empty_text_is_a_unit_vector(reference):
    assert reference.encode([]).shape == (0, 384)
    np.testing.assert_allclose(np.linalg.norm(reference.encode([""])), 1.0, atol=1e-5)


def test_a_text_of_50_mb_is_refused_before_anything_is_loaded():
    with pytest.raises(EmbeddingError, match="50,000,000 characters"):
        Embedder(MODEL).encode(["a" * 50_000_000])
