"""Answers as monitoring sees them: one row each of the table `answers`, and no word of anybody's in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

Thumb = Literal["up", "down"]

ANSWERS_TABLE = "answers"

_INSTANT = pa.timestamp("us", tz="UTC")

ANSWERS_SCHEMA = pa.schema(
    [
        pa.field("trace_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("release", pa.string(), nullable=False),
        pa.field("snapshot", pa.string(), nullable=False),
        pa.field("started_at", _INSTANT, nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),
        pa.field("first_token_seconds", pa.float64()),
        pa.field("prompt_tokens", pa.int64(), nullable=False),
        pa.field("completion_tokens", pa.int64(), nullable=False),
        pa.field("outcome", pa.string()),
        pa.field("cause", pa.string()),
        pa.field("degraded", pa.bool_(), nullable=False),
        pa.field("failed", pa.bool_(), nullable=False),
        pa.field("cached", pa.bool_(), nullable=False),
        pa.field("citations", pa.int64(), nullable=False),
        pa.field("relevance", pa.float64()),
        pa.field("support", pa.float64()),
        pa.field("personal_data", pa.int64(), nullable=False),
        pa.field("canary", pa.bool_(), nullable=False),
        pa.field("question_digest", pa.string(), nullable=False),
        pa.field("vector", pa.list_(pa.float32())),
        pa.field("form", pa.string(), nullable=False),
        pa.field("clock_skew", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """One answer as its trace tells it.

    `relevance` is the best passage's nearness, `vector` the question's embedding. `thumb` comes from the table
    `feedback`. `form` is answer, post or article. `clock_skew` is by how many seconds the service's clock is ahead, as
    far as its times cannot be true: 0.0 for a clock that may be right.
    """

    trace_id: str
    author: str
    release: str
    snapshot: str
    started_at: datetime
    seconds: float
    first_token_seconds: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    outcome: str | None = None
    cause: str | None = None
    degraded: bool = False
    failed: bool = False
    cached: bool = False
    citations: int = 0
    relevance: float | None = None
    support: float | None = None
    personal_data: int = 0
    canary: bool = False
    question_digest: str = ""
    vector: tuple[float, ...] | None = None
    thumb: Thumb | None = None
    form: str = "answer"
    clock_skew: float = 0.0


def answers_table(seen: Iterable[AnswerSeen]) -> pa.Table:
    """Answers as rows: `Warehouse.upsert(ANSWERS_TABLE, rows, author, identity="trace_id")`."""
    rows = list(seen)
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in ANSWERS_SCHEMA]
    return pa.Table.from_arrays(columns, schema=ANSWERS_SCHEMA)
