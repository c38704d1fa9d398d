"""The embedding model: unit vectors, token counts without torch, a digest, a clear error where it is missing."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from resources.embedder import Embedder
from resources.embedding_backend import REFERENCE, GraphBackend, TorchBackend, Variant
from resources.embedding_choice import Choice
from resources.errors import ModelNotFoundError

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
TEXTS = ["The loom weaves flowers.", "é 日本 🎉", "def merge(counts): return sum(counts)", "", "word " * 600]


@pytest.fixture(scope="module")
def embedder():
    return Embedder(MODEL)


def test_vectors_are_unit_vectors_and_near_where_meaning_is(embedder):
    vectors = embedder.encode(["The loom weaves flowers.", "A machine that weaves.", "Tax law of 1912."])
    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_token_counts_are_those_of_the_model_and_never_cut_off(embedder):
    texts = ["", "hello", "antidisestablishmentarianism é 日本 🎉", "word " * 1000]
    tokenizer = embedder._transformer.tokenizer
    expected = [len(tokenizer(text, truncation=False, verbose=False)["input_ids"]) for text in texts]
    assert embedder.token_counts(texts) == expected
    assert [embedder.token_count(text) for text in texts] == expected
    assert expected[-1] > embedder.max_tokens


def test_limits_and_dimension_are_what_the_model_has(embedder):
    model = embedder._transformer
    assert (embedder.max_tokens, embedder.dimension) == (model.max_seq_length, model.get_embedding_dimension())


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_plain_model_has_the_vectors_of_sentence_transformers(tmp_path, pooling):
    folder = shutil.copytree(Embedder(MODEL)._folder, tmp_path / "model")
    modes = {"pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean"}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 384, **modes}))
    plain = Embedder(str(folder))
    expected = plain._transformer.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(plain.encode(TEXTS), expected, atol=2e-6)
    assert isinstance(plain._backend(plain.variant), GraphBackend)


def test_a_model_with_more_than_a_pooling_is_left_to_sentence_transformers(tmp_path):
    folder = shutil.copytree(Embedder(MODEL)._folder, tmp_path / "model")
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 384, "pooling_mode": "lasttoken"})
    )
    embedder = Embedder(str(folder))
    embedder.encode(TEXTS)
    assert isinstance(embedder._backend(embedder.variant), TorchBackend)


def test_counting_tokens_loads_no_torch():
    code = (
        f"import sys; from resources.embedder import Embedder; e = Embedder({MODEL!r}); "
        "e.token_count('a'), e.dimension, e.max_tokens, e.digest; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_digest_is_of_the_files_wherever_they_lie(embedder, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(embedder._folder, copy)
    assert Embedder(str(copy)).digest == embedder.digest
    (copy / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    changed = Embedder(str(copy))
    assert changed.digest != embedder.digest
    assert changed.max_tokens == 128


def test_a_model_that_cannot_be_had_is_a_clear_error(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFoundError, match=r"twin\.yaml: embedding\.model"):
        _ = Embedder("nobody/has-this-model").digest


def test_a_folder_without_weights_is_no_model(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelNotFoundError, match="no weights"):
        _ = Embedder(str(tmp_path)).digest


def test_weights_that_cannot_be_read_are_a_clear_error(embedder, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(embedder._folder, copy)
    (copy / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ModelNotFoundError, match="cannot be loaded"):
        Embedder(str(copy)).encode(["text"])


def test_the_digest_names_weights_architecture_and_pooling(embedder, tmp_path):
    digests = set()
    for name in ("config.json", "1_Pooling/config.json", "modules.json", "model.safetensors"):
        copy = tmp_path / name.replace("/", "-")
        shutil.copytree(embedder._folder, copy)
        with (copy / name).open("ab") as stream:
            stream.write(b" ")
        digests.add(Embedder(str(copy)).digest)
    assert len(digests | {embedder.digest}) == 5


class Faster:
    """A backend that says when it was used."""

    def __init__(self):
        self.encoded = 0

    def encode(self, texts):
        self.encoded += len(texts)
        return np.tile(np.float32(0.5), (len(texts), 384))


@pytest.fixture
def auto(tmp_path, monkeypatch):
    """An embedder that may choose, for whom something faster than torch would be found. Measures nothing."""
    measured = []

    def choose(candidates, load):
        measured.append(candidates)
        return Choice(backend="torch", precision="bfloat16", measured=(), question=REFERENCE)

    monkeypatch.setattr("resources.embedder.choose", choose)

    def make():
        made = Embedder(MODEL, backend="torch", precision="auto", cache=tmp_path)
        made.__dict__["_candidates"] = (REFERENCE, Variant("torch", "bfloat16"))
        made._loaded = {variant: Faster() for variant in made._candidates}
        return made

    make.measured = measured
    return make


def test_few_texts_and_questions_are_embedded_as_torch_does_and_measure_nothing(auto):
    embedder = auto()
    for _ in range(50):
        embedder.encode(["a question"] * 20)
    embedder.encode(["a chunk"] * 300)
    assert embedder.variant == REFERENCE
    assert auto.measured == []


def test_many_texts_are_worth_measuring_once_for_all_processes(auto):
    embedder = auto()
    faster = embedder._loaded[Variant("torch", "bfloat16")]
    embedder.encode(["a chunk"] * 600)
    assert (str(embedder.variant), faster.encoded) == ("torch bfloat16", 600)
    later = auto()
    later.encode(["a question"])
    assert str(later.variant) == "torch bfloat16"
    assert len(auto.measured) == 1


def test_a_spool_belongs_to_a_cache_and_a_model(embedder, tmp_path):
    assert embedder.spool("ada-post") is None
    kept = Embedder(MODEL, cache=tmp_path).spool("ada-post")
    kept.add(["key"], np.ones((1, 2), dtype=np.float32))
    assert embedder.digest in str(next(tmp_path.rglob("*.npz")))
