"""The records of a release: evaluation verdict, a person's decision, and what they led to."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Decision = Literal["approved", "rejected", "rolled_back"]


class Record(BaseModel):
    """An immutable JSON record."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Interval(Record):
    """A bootstrap interval around a mean."""

    mean: float
    low: float
    high: float


class Verdict(Record):
    """What evaluation found of one model version; `passed` is the gate."""

    author: str
    model_version: str
    model_digest: str
    reference: str
    dataset: str
    documents: int
    candidate_bits_per_byte: float
    reference_bits_per_byte: float
    difference: Interval
    passed: bool
    reason: str
    config_digest: str
    evaluated_at: datetime


class Approval(Record):
    """One decision of one person on one model version; the only thing that deployment trusts."""

    sequence: int
    author: str
    model_version: str
    decision: Decision
    approver: str
    reason: str
    decided_at: datetime


class Release(Record):
    """Everything that the service needs to answer as one released twin: immutable once written."""

    release_id: str
    author: str
    author_name: str
    sequence: int
    model_name: str
    model_version: str
    model_digest: str
    model_path: str
    base: str
    dataset: str
    snapshot: str
    embedder: str
    embedder_digest: str
    prompt_digest: str
    approval_sequence: int
    approver: str
    released_at: datetime
