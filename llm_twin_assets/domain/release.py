"""The records of a release: evaluation verdict, a person's decision, and what they led to."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from resources.release_settings import Trial

Decision = Literal["approved", "rejected", "rolled_back", "withdrawn"]
# Those after which what was said yes to before is not released: a no, and a yes that is taken back.
NO_YES: frozenset[Decision] = frozenset({"rejected", "withdrawn"})
# The part that a measure plays in the gate.
Kind = Literal["superiority", "non_inferior", "hard_limit", "report"]
Better = Literal["higher", "lower"]


class Record(BaseModel):
    """An immutable JSON record."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Interval(Record):
    """A bootstrap interval around a mean."""

    mean: float
    low: float
    high: float


class Comparison(Record):
    """One measure of a candidate beside a reference, over `documents` on which both have a value.

    `difference` is candidate minus reference; None for a hard limit, or where there are too few documents. `bound` is
    what decides: the least gain that the interval leaves possible, which has to exceed `threshold`, or of a hard limit
    the candidate's worst value, which must not. `holds` is None for what is only reported. `detectable` is the smallest
    gain that so many documents show in four of five cases.
    """

    measure: str
    label: str
    kind: Kind
    better: Better
    unit: str = ""
    documents: int
    candidate: float | None
    reference: float | None
    difference: Interval | None = None
    bound: float | None = None
    threshold: float | None = None
    holds: bool | None = None
    detectable: float | None = None


class Verdict(Record):
    """What evaluation found of one model version; `passed` is the gate.

    `comparisons` are with `reference`, `with_base` with the bare base where `reference` is a champion. Both are empty
    in records from before there were measures beside bits per byte.
    """

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
    test_digest: str = ""
    comparisons: tuple[Comparison, ...] = ()
    with_base: tuple[Comparison, ...] = ()
    warnings: tuple[str, ...] = ()


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
    `override` is a yes against the gate, or against an earlier no. `withdrawn` takes a yes back and is no `rejected`:
    the version may be approved again like any other.
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
    before the switch; `service` is a bento tag or an image. The decision `forget` is the release before it with the
    same snapshot but for a document that had to go, by whom and why; it rests on the same approval. `canary` says how
    it was tried on a share of the requests before the switch, if it was.
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
    decision: Decision | Literal["forget"] = "approved"
    override: bool = False
    verdict: str | None = None
    smoke: str | None = None
    canary: Trial | None = None
    released_at: datetime
