"""What people said about answers: thumbs, scores, comments, corrections; one row each of the table `feedback`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

FEEDBACK_TABLE = "feedback"

FEEDBACK_SCHEMA = pa.schema(
    [
        pa.field("answer_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("corrected_text", pa.string()),
        pa.field("thumb", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("comment", pa.string()),
        pa.field("author_key", pa.bool_(), nullable=False),
        pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said about one answer; a later word about the same answer stands for the earlier one.

    `author_key` is True if it came with the author's own key: only then are corrected words the author's. `score` is
    whatever scale the page that asked for it uses; nothing is trained on it.
    """

    answer_id: str
    author: str
    question: str
    answer: str
    corrected_text: str | None
    thumb: Literal["up", "down"] | None
    score: float | None
    comment: str | None
    author_key: bool
    created_at: datetime


def feedback_table(feedback: Iterable[Feedback]) -> pa.Table:
    """Feedback as rows: `Warehouse.upsert(FEEDBACK_TABLE, rows, author, identity="answer_id")`."""
    return pa.Table.from_pylist([asdict(each) for each in feedback], schema=FEEDBACK_SCHEMA)


def feedback_of(table: pa.Table) -> list[Feedback]:
    """Rows as feedback, each answer once, in the order of time; an empty table is none."""
    rows = [Feedback(**{name: row.get(name) for name in FEEDBACK_SCHEMA.names}) for row in table.to_pylist()]
    latest = {each.answer_id: each for each in sorted(rows, key=lambda each: (each.created_at, each.answer_id))}
    return sorted(latest.values(), key=lambda each: (each.created_at, each.answer_id))
