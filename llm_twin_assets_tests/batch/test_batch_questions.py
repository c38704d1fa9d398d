"""Questions from files to the table."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_twin_assets.batch.questions import (
    QUESTIONS_TABLE,
    QuestionsError,
    put_questions,
    questions_of,
    read_questions,
)
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.batch import BatchQuestion
from resources.vector_store import Filters
from resources.warehouse import Warehouse

SCRUBBER = Scrubber.of(["email"])


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_csv_file_needs_nothing_but_questions(tmp_path: Path):
    file = written(tmp_path, "asked.csv", '\ufeffquestion\n"Why split, and how?"\nWhat is a chunk?\n')
    first, second = read_questions(file)
    assert (first.question, first.filters) == ("Why split, and how?", Filters())
    assert first.question_id != second.question_id
    assert read_questions(file) == [first, second], "a question is named by what it asks"


def test_both_kinds_of_file_may_name_and_filter(tmp_path: Path):
    filters = '{"categories": ["article"], "published_after": "2025-01-01T00:00:00Z"}'
    quoted = filters.replace('"', '""')
    rows = f'question_id,question,filters\n7,Why?,"{quoted}"\n8,How?,\n'
    named = f'{{"question_id": "7", "question": "Why?", "filters": {filters}}}'
    lines = named + '\n\n{"question_id": "8", "question": "How?"}'
    from_csv, from_lines = (
        read_questions(written(tmp_path, "a.CSV", rows)),
        read_questions(written(tmp_path, "a", lines)),
    )
    assert from_csv == from_lines
    assert from_csv[0].filters == Filters(categories=("article",), published_after=datetime(2025, 1, 1, tzinfo=UTC))
    assert [each.question_id for each in from_csv] == ["7", "8"]


@pytest.mark.parametrize(
    ("name", "text", "where", "what"),
    [
        ("a.csv", "q\nWhy?\n", "a.csv:2", "question: "),
        ("a.jsonl", '{"question": "Why?"}\n{"question": "  "}\n', "a.jsonl:2", "question: "),
        ("a.jsonl", "[]\n", "a.jsonl:1", "is no JSON object"),
        ("a.jsonl", '{"question": "Why?", "filter": {}}\n', "a.jsonl:1", "filter: "),
        ("a.jsonl", '{"question": "Why?", "filters": {"author": "ben"}}\n', "a.jsonl:1", "filters.author: "),
        ("a.csv", "question,filters\nWhy?,{half\n", "a.csv:2", "filters: "),
    ],
)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, name: str, text: str, where: str, what: str):
    with pytest.raises(QuestionsError) as raised:
        read_questions(written(tmp_path, name, text))
    assert where in str(raised.value)
    assert what in str(raised.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_that_is_no_text_or_not_there_is_said(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(QuestionsError, match="cannot be read"):
        read_questions(tmp_path / "a.csv")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80), suffix=st.sampled_from([".csv", ".jsonl"]))
def test_no_text_makes_it_fail_in_another_way(tmp_path: Path, text: str, suffix: str):
    file = tmp_path / f"any{suffix}"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(QuestionsError):
        assert all(each.question for each in read_questions(file))


def test_questions_are_kept_once_without_personal_data(warehouse: Warehouse):
    asked = [BatchQuestion(question_id="1", question="Why does maya.l@posteo.de split?")]
    assert put_questions(warehouse, "maya", asked, SCRUBBER).new == 1
    version = warehouse.version(QUESTIONS_TABLE)
    assert put_questions(warehouse, "maya", asked, SCRUBBER).unchanged == 1
    assert warehouse.version(QUESTIONS_TABLE) == version, "nothing is written where nothing is new"
    other = [BatchQuestion(question_id="1", question="Why?", filters=Filters(tags=("rag",)))]
    assert put_questions(warehouse, "maya", other, SCRUBBER).changed == 1
    put_questions(warehouse, "ben", asked, SCRUBBER)
    assert questions_of(warehouse, "maya") == other
    assert [each.question for each in questions_of(warehouse, "ben")] == ["Why does [email] split?"]
    assert questions_of(warehouse, "nobody") == []


def test_a_row_of_the_table_is_what_other_readers_expect(warehouse: Warehouse):
    asked = BatchQuestion(question_id="1", question="Why?", filters=Filters(tags=("rag",)))
    put_questions(warehouse, "maya", [asked], SCRUBBER)
    [row] = warehouse.read(QUESTIONS_TABLE, "maya").to_pylist()
    assert json.loads(row["filters"]) == {"tags": ["rag"]}
