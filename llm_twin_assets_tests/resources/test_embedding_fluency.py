"""What an English model can read."""

import pytest

from resources.embedder import Embedder
from resources.embedding_fluency import is_english_only


@pytest.fixture(scope="module")
def embedder():
    return Embedder("sentence-transformers/all-MiniLM-L6-v2")


def test_english_is_more_familiar_than_any_other_language(embedder):
    english = embedder.familiarity("How many threads does a loom hold under tension?")
    french = embedder.familiarity("Combien de fils le m\u00e9tier \u00e0 tisser tient-il sous tension ?")
    german = embedder.familiarity("Wie viele Kettf\u00e4den h\u00e4lt ein Webstuhl gespannt?")
    japanese = embedder.familiarity("\u7e54\u6a5f\u306f\u3044\u304f\u3064\u306e\u7cf8\u3092")
    assert 0.8 < english <= 1
    assert english > french > german > japanese


def test_a_text_without_words_is_no_foreign_one(embedder):
    assert embedder.familiarity("") == 1.0


@pytest.mark.parametrize(
    ("card", "english_only"),
    [
        ("---\nlanguage: en\n---\n# A model", True),
        ("---\nlanguage:\n- en\n---\n", True),
        ("---\nlanguage: [en, de]\n---\n", False),
        ("---\nlicense: mit\n---\n", False),
        ("---\n: [\n---\n", False),
        ("# A model for English", False),
        ("", False),
    ],
)
def test_the_card_says_which_languages_a_model_is_for(tmp_path, card, english_only):
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert is_english_only(tmp_path) is english_only


def test_a_model_without_a_card_reads_everything(tmp_path):
    assert not is_english_only(tmp_path)
