"""The table `answers` of the warehouse: each answer once, with the thumb that it was given since."""

from collections.abc import Sequence
from datetime import UTC, datetime

from llm_twin_assets.domain.feedback import FEEDBACK_TABLE
from llm_twin_assets.monitoring.answers import ANSWERS_SCHEMA, ANSWERS_TABLE, AnswerSeen, Thumb, answers_table
from llm_twin_assets.monitoring.columns import Answers
from resources.warehouse import Warehouse

_WITHOUT_VECTORS = [name for name in ANSWERS_SCHEMA.names if name != "vector"]


def record(warehouse: Warehouse, author: str, seen: Sequence[AnswerSeen]) -> int:
    """Add the answers that are not in the table yet; returns how many that were."""
    if not seen:
        return 0
    known = warehouse.read(ANSWERS_TABLE, author, ["trace_id"])
    recorded = set(known["trace_id"].to_pylist()) if known.num_rows else set()
    new = {each.trace_id: each for each in seen if each.trace_id not in recorded}
    warehouse.upsert(ANSWERS_TABLE, answers_table(new.values()), author, identity="trace_id")
    return len(new)


def stored_answers(warehouse: Warehouse, author: str, *, vectors: bool = False) -> Answers:
    """An author's answers, with the vectors of their questions if asked for."""
    columns = ANSWERS_SCHEMA.names if vectors else _WITHOUT_VECTORS
    table = warehouse.read(ANSWERS_TABLE, author, columns)
    return Answers.of_table(table, _thumbs(warehouse, author)) if table.num_rows else Answers.of([])


def _thumbs(warehouse: Warehouse, author: str) -> dict[str, Thumb]:
    table = warehouse.read(FEEDBACK_TABLE, author, ["answer_id", "thumb", "created_at"])
    # A later word about an answer stands for the earlier one.
    rows = sorted(table.to_pylist(), key=lambda row: row["created_at"] or datetime.min.replace(tzinfo=UTC))
    return {row["answer_id"]: row["thumb"] for row in rows if row["thumb"]}
