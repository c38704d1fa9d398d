"""Training samples: the instruction is made up, the answer is the author's, verbatim."""

from dataclasses import dataclass
from enum import StrEnum


class Split(StrEnum):
    """Which part of a dataset version a document belongs to; decided before any sample is made."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Sample:
    """One instruct sample; `document.text[start:end] == answer`."""

    sample_id: str
    split: Split
    kind: str
    instruction: str
    answer: str
    document_id: str
    start: int
    end: int
