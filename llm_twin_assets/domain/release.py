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


class Chained(Record):
    """A record of an append-only chain.

    `sequence` counts from 1; `previous` is the digest over all records before it (domain/chain.py). It is None only in
    records from before there were chains.
    """

    author: str
    sequence: int
    previous: str | None = None


class Approval(Chained):
    """One decision of one person on one model version; the only thing that deployment trusts.

    `verdict` is what the gate said and `verdict_digest` the sha256 of its record, both None where it said nothing.
    `override` is a yes against the gate, or against an earlier no.
    """

    model_version: str
    decision: Decision
    approver: str
    reason: str
    decided_at: datetime
    override: bool = False
    model_digest: str | None = None
    verdict: str | None = None
    verdict_digest: str | None = None


class Release(Chained):
    """Everything that the service needs to answer as one released twin: immutable once written.

    `approval_digest` is the chain's digest at the approval that it follows from; `smoke` is what came of the test
    before the switch; `service` is a bento tag or an image.
    """

    release_id: str
    author_name: str
    model_name: str
    model_version: str
    model_digest: str
    model_path: str
    base: str
    base_revision: str | None = None
    dataset: str
    snapshot: str
    embedder: str
    embedder_digest: str
    prompt_digest: str
    engine: str = "transformers"
    service: str | None = None
    code_version: str | None = None
    approval_sequence: int
    approval_digest: str | None = None
    approver: str
    reason: str | None = None
    decision: Decision = "approved"
    override: bool = False
    verdict: str | None = None
    smoke: str | None = None
    released_at: datetime
