"""Cross-encoders from a folder: a tiny one, randomly initialised, stands for those of the hub."""

import numpy as np
import pytest

from resources.cross_encoder import SentenceTransformersCrossEncoder
from resources.errors import ModelNotFoundError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "loom", "warp", "thread", "bread", "oven"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    def save(labels):
        from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, set_seed

        set_seed(3)
        folder = tmp_path_factory.mktemp("cross_encoder")
        (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
        BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
        config = BertConfig(
            vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
            num_labels=labels, max_position_embeddings=64,
        )  # fmt: skip
        BertForSequenceClassification(config).save_pretrained(folder)
        return str(folder)

    return save


def test_every_text_has_a_score_that_does_not_depend_on_its_neighbours(saved):
    model = SentenceTransformersCrossEncoder(saved(1))
    texts = ["warp thread", "bread oven", "loom"]
    scores = model.scores("loom", texts)
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    assert len({round(float(each), 6) for each in scores}) == 3
    np.testing.assert_allclose(model.scores("loom", texts[1:2]), scores[1:2], atol=1e-5)


def test_a_text_longer_than_the_model_reads_is_no_error(saved):
    assert SentenceTransformersCrossEncoder(saved(1)).scores("loom", ["thread " * 500]).shape == (1,)


def test_a_classifier_is_refused(saved):
    with pytest.raises(ModelNotFoundError, match="classifies, it does not rank"):
        SentenceTransformersCrossEncoder(saved(3)).scores("loom", ["warp"])


def test_a_missing_model_is_named(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelNotFoundError, match="is neither a folder"):
        SentenceTransformersCrossEncoder("./no-such-model").scores("loom", ["warp"])
