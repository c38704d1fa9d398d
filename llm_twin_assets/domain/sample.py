"""Training samples: the instruction is made up, the answer is the author's, verbatim."""

from dataclasses import dataclass
from enum import StrEnum


class Split(StrEnum):
    """Which part of a dataset version a document belongs to; decided before any sample is made."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"

    @property
    def rank(self) -> int:
        """How strictly it is kept apart: the lower, the more."""
        return _STRICTEST_FIRST.index(self)


_STRICTEST_FIRST = (Split.TEST, Split.VALIDATION, Split.TRAIN)


class Tier(StrEnum):
    """Size of a train split; each holds the ones before it."""

    XS = "xs"
    S = "s"
    M = "m"
    L = "l"


@dataclass(frozen=True, slots=True)
class Sample:
    """One instruct sample; `document.text[start:end] == answer`.

    `language` is that of the document (ISO 639-1), or the programming language of code. `flags` are what is doubtful
    about it; `tier` is the smallest one that holds it (validation and test are the same in all).
    """

    sample_id: str
    split: Split
    kind: str
    instruction: str
    answer: str
    document_id: str
    start: int
    end: int
    language: str | None = None
    flags: tuple[str, ...] = ()
    tier: Tier = Tier.XS
