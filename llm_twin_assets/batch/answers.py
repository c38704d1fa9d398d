"""The table of batch answers, and which questions are still to be answered."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa
from pydantic import TypeAdapter

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.batch import BatchAnswer, BatchQuestion
from llm_twin_assets.inference.citations import Citation
from resources.vector_store import Filters
from resources.warehouse import Warehouse

BATCH_ANSWERS_TABLE = "answers_batch"

BATCH_ANSWERS_SCHEMA = pa.schema(
    [
        pa.field("author", pa.string(), nullable=False),
        pa.field("question_id", pa.string(), nullable=False),
        # Of the question and of all that its answer depends on: the same key, the same answer.
        pa.field("answer_key", pa.string(), nullable=False),
        pa.field("release", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("snapshot", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("degraded", pa.bool_(), nullable=False),
        pa.field("cause", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("support", pa.float64(), nullable=False),
        # JSON: a list of citations as the service gives them.
        pa.field("citations", pa.string(), nullable=False),
        pa.field("prompt_tokens", pa.int64(), nullable=False),
        pa.field("completion_tokens", pa.int64(), nullable=False),
        pa.field("answered_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

_CITATIONS = TypeAdapter(tuple[Citation, ...])
_FILTERS = TypeAdapter(Filters)
# How causes begin that say nothing of the release (inference/pipeline.py).
_OF_THE_ENGINE = "engine_"
_PAUSED = "paused"


def answer_key(asked: BatchQuestion, release: Release) -> str:
    """The same for what has the same answer."""
    filters = json.loads(_FILTERS.dump_json(asked.filters))
    made_with = [release.model_digest, release.snapshot, release.embedder_digest, release.prompt_digest, release.engine]
    return digest([asked.question, filters, release.author_name, made_with])


def unanswered(
    warehouse: Warehouse,
    author: str,
    questions: Sequence[BatchQuestion],
    release: Release,
    *,
    again: bool = False,
    paused: bool = False,
) -> list[BatchQuestion]:
    """The questions that this release, or one of the same parts, has not answered.

    With `again` also those for which the author was only quoted because the engine was gone or busy. Those for which it
    was because the twin was paused count as answered as long as it is.
    """

    def stands(cause: str) -> bool:
        return paused if cause == _PAUSED else not (again and cause.startswith(_OF_THE_ENGINE))

    rows = warehouse.read(BATCH_ANSWERS_TABLE, author, ["question_id", "answer_key", "cause"]).to_pylist()
    done = {(row["question_id"], row["answer_key"]) for row in rows if stands(row["cause"] or "")}
    return [each for each in questions if (each.question_id, answer_key(each, release)) not in done]


def put_answers(
    warehouse: Warehouse, release: Release, answered: Iterable[tuple[BatchQuestion, BatchAnswer]], now: datetime
) -> None:
    """Record answers in one commit; each takes the place of what another release answered."""
    rows = [_row(release, asked, given, now) for asked, given in answered]
    table = pa.Table.from_pylist(rows, schema=BATCH_ANSWERS_SCHEMA)
    warehouse.upsert(BATCH_ANSWERS_TABLE, table, release.author, identity="question_id")


def cited_documents(citations: str) -> frozenset[str]:
    """The documents that an answer of the table cites."""
    return frozenset(each.document_id for each in _CITATIONS.validate_json(citations))


def _row(release: Release, asked: BatchQuestion, given: BatchAnswer, now: datetime) -> dict[str, object]:
    return {
        **given.model_dump(exclude={"citations"}),
        "author": release.author,
        "question": asked.question,
        "answer_key": answer_key(asked, release),
        "release": release.release_id,
        "model_version": release.model_version,
        "snapshot": release.snapshot,
        "citations": _CITATIONS.dump_json(given.citations).decode(),
        "answered_at": now,
    }
