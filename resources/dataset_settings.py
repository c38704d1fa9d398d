"""The section of `twin.yaml` about datasets."""

from typing import Literal

from pydantic import Field

from resources.section import Section


class Dataset(Section):
    """How documents are split, which samples are kept, and what has to be left for a version to count.

    Documents at least `near_duplicate` alike (estimated Jaccard index of their word pairs) share a split. A sample goes
    if more than `max_overlap` of its answer's 8-grams stand in other documents' answers, or more than
    `max_leaked_8grams` of its own in documents of a more sealed split; one shared 13-gram is always one too many.
    `languages` are the author's main ones, found by their share where none are named; `exclude_flags` are those of
    cleaning. `tier` is how much of the train split a version holds. At least `min_test_documents` are sealed, as long
    as that is not half of all documents.
    """

    validation_share: float = Field(default=0.1, gt=0, lt=0.5)
    test_share: float = Field(default=0.2, gt=0, lt=0.5)
    seed: int = 13
    near_duplicate: float = Field(default=0.7, ge=0.5, le=1)
    min_answer_words: int = Field(default=8, ge=1)
    max_answer_words: int = Field(default=350, ge=20)
    max_overlap: float = Field(default=0.5, gt=0, le=1)
    max_leaked_8grams: float = Field(default=0.2, ge=0, le=1)
    languages: tuple[str, ...] = ()
    other_languages: Literal["keep", "flag", "drop"] = "flag"
    exclude_flags: tuple[str, ...] = ("encoding_damage", "machine_text", "mostly_links")
    tier: Literal["xs", "s", "m", "l"] = "l"
    min_train_samples: int = Field(default=1, ge=1)
    min_test_documents: int = Field(default=3, ge=2)
