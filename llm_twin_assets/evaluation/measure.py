"""What is measured of a model, and what each sealed document says of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from llm_twin_assets.domain.release import Better as Better
from llm_twin_assets.domain.release import Kind as Kind


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of the report; `kind` is the part that it plays in the gate, `unit` is empty for a share from 0 to 1."""

    name: str
    label: str
    kind: Kind
    better: Better
    unit: str = ""


@dataclass(frozen=True, slots=True)
class DocumentValue:
    """The value of one measure on one sealed document: the mean over its prompts where there are several."""

    document_id: str
    value: float


Measured: TypeAlias = dict[Measure, list[DocumentValue]]


def by_document(values: Iterable[tuple[str, float]]) -> list[DocumentValue]:
    """The mean of the values of each document, in the order in which the documents come."""
    found: dict[str, list[float]] = {}
    for document_id, value in values:
        found.setdefault(document_id, []).append(value)
    return [DocumentValue(document_id, sum(each) / len(each)) for document_id, each in found.items()]
