"""What people said about answers: thumbs, scores, comments, corrections; one row each of the table `feedback`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

from llm_twin_assets.domain.identity import digest, document_id

Thumb = Literal["up", "down"]
# Where it was said: to the service, or on Phoenix's own page.
Source = Literal["service", "phoenix"]

FEEDBACK_TABLE = "feedback"

FEEDBACK_SCHEMA = pa.schema(
    [
        pa.field("feedback_id", pa.string(), nullable=False),
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
        pa.field("source", pa.string(), nullable=False),
        pa.field("voice", pa.string(), nullable=False),
        pa.field("remarks", pa.list_(pa.string()), nullable=False),
        pa.field("in_phoenix", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one voice says about one answer; of each thing its latest word stands.

    `author_key` is True if it came with the author's own key: only then are corrected words the author's. `score` is
    whatever scale the page that asked for it uses; nothing is trained on it. `voice` tells apart who spoke, without a
    name; `remarks` are the names of what it was put together from, and `in_phoenix` whether Phoenix shows it.
    """

    answer_id: str
    author: str
    question: str
    answer: str
    corrected_text: str | None
    thumb: Thumb | None
    score: float | None
    comment: str | None
    author_key: bool
    created_at: datetime
    source: Source = "service"
    voice: str = ""
    remarks: tuple[str, ...] = ()
    in_phoenix: bool = False

    @property
    def feedback_id(self) -> str:
        """Identity: the answer and whose word it is."""
        return feedback_id(self.author, self.answer_id, self.voice)

    @property
    def document_id(self) -> str:
        """Identity of the corrected text, where it is taken for a text of the author's."""
        return document_id(self.author, f"feedback:{self.feedback_id}")


def feedback_id(author: str, answer_id: str, voice: str) -> str:
    """Identity of what one voice says about one answer."""
    return digest([author, answer_id, voice])[:32]


def feedback_table(feedback: Iterable[Feedback]) -> pa.Table:
    """Feedback as rows: `Warehouse.upsert(FEEDBACK_TABLE, rows, author, identity="feedback_id")`."""
    rows = [{**asdict(each), "feedback_id": each.feedback_id} for each in feedback]
    return pa.Table.from_pylist(rows, schema=FEEDBACK_SCHEMA)


def feedback_of(table: pa.Table) -> list[Feedback]:
    """Rows as feedback in the order of time; an empty table is none."""
    names = [name for name in FEEDBACK_SCHEMA.names if name != "feedback_id"]
    rows = ({name: row[name] for name in names} for row in table.to_pylist())
    found = [Feedback(**{**row, "remarks": tuple(row["remarks"])}) for row in rows]
    return sorted(found, key=lambda each: (each.created_at, each.answer_id, each.voice))


def thumbs_of(feedback: Iterable[Feedback]) -> dict[str, Thumb]:
    """The thumb of each answer that has one, by its id; the latest, where several voices gave theirs."""
    ordered = sorted(feedback, key=lambda each: (each.created_at, each.answer_id, each.voice))
    return {each.answer_id: each.thumb for each in ordered if each.thumb}
