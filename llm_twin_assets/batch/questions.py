"""The table of questions to answer in a batch, and the files that they come from."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.batch import BatchQuestion
from resources.errors import TwinError
from resources.vector_store import Filters
from resources.warehouse import MergeCounts, Warehouse

QUESTIONS_TABLE = "questions"

QUESTIONS_SCHEMA = pa.schema(
    [
        pa.field("author", pa.string(), nullable=False),
        pa.field("question_id", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
        # JSON, in the words of the service's interface; null where anything may be drawn on.
        pa.field("filters", pa.string()),
    ]
)

_FILTERS = TypeAdapter(Filters)


class QuestionsError(TwinError):
    """A file of questions that cannot be read."""


def read_questions(path: Path) -> list[BatchQuestion]:
    """The questions of a CSV file (columns `question`, and if there are `question_id`, `filters`) or of JSON lines.

    A question without an id is named by what it asks. Raises `QuestionsError` with the line at fault.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"cannot be read: {error}", where=str(path)) from None
    rows = _csv_rows(text) if path.suffix.lower() == ".csv" else _json_rows(text, path)
    return [_question(row, f"{path}:{line}") for line, row in rows]


def put_questions(
    warehouse: Warehouse, author: str, questions: Iterable[BatchQuestion], scrubber: Scrubber
) -> MergeCounts:
    """Add questions to an author's table, without personal data and secrets; one of the same id takes the place."""
    known = {each.question_id: each for each in questions_of(warehouse, author)}
    given = {each.question_id: each.model_copy(update={"question": scrubber.scrub(each.question).text})
             for each in questions}  # fmt: skip
    changed = [each for key, each in given.items() if known.get(key) != each]
    rows = [_row(author, each) for each in changed]
    warehouse.upsert(
        QUESTIONS_TABLE, pa.Table.from_pylist(rows, schema=QUESTIONS_SCHEMA), author, identity="question_id"
    )
    new = sum(each.question_id not in known for each in changed)
    return MergeCounts(new=new, changed=len(changed) - new, unchanged=len(given) - len(changed))


def questions_of(warehouse: Warehouse, author: str) -> list[BatchQuestion]:
    """An author's questions, by their ids."""
    rows = warehouse.read(QUESTIONS_TABLE, author).to_pylist()
    found = [
        BatchQuestion(
            question_id=row["question_id"],
            question=row["question"],
            filters=_FILTERS.validate_json(row["filters"]) if row["filters"] else Filters(),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: each.question_id)


def _row(author: str, asked: BatchQuestion) -> dict[str, str | None]:
    filters = None if asked.filters == Filters() else _FILTERS.dump_json(asked.filters, exclude_none=True).decode()
    return {"author": author, "question_id": asked.question_id, "question": asked.question, "filters": filters}


def _csv_rows(text: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        stated = {key: value for key, value in row.items() if key and value}
        yield reader.line_num, {**stated, **({"filters": _parsed(stated["filters"])} if "filters" in stated else {})}


def _json_rows(text: str, path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            row = _parsed(line)
            if not isinstance(row, dict):
                raise QuestionsError("is no JSON object", where=f"{path}:{number}")
            yield number, row


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text  # what is wrong with it is said where it is checked


def _question(row: Mapping[str, Any], where: str) -> BatchQuestion:
    question = row.get("question")
    stated = {**row, "question": question.strip() if isinstance(question, str) else question}
    named = {"question_id": digest([str(question), str(row.get("filters"))])[:16], **stated}
    try:
        return BatchQuestion.model_validate(named)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "question"
        raise QuestionsError(
            f"{place}: {first['msg']}", where=where, mend="Needed is `question`; `question_id` and `filters` may be."
        ) from None
