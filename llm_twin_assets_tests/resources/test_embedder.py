"""The embedding model: unit vectors, token counts without torch, a digest, a clear error where it is missing."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from resources.embedder import Embedder
from resources.errors import ModelNotFoundError

MODEL = "sentence-transformers/all-MiniLM-L6-v2"


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
