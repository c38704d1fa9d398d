"""Labelled sets of strangers are read as they are found."""

import json

import pytest

from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.benchmarks.beir import read
from llm_twin_assets_tests.benchmarks.spans import Question, read_questions

CORPUS = [{"_id": 1, "text": "Looms"}, {"_id": "d 2/\u00fc", "title": None, "text": "\u7e54\u6a5f"}, {"_id": "empty"}]
QUERIES = [{"_id": 1, "text": "loom"}, {"_id": "q2", "text": ""}, {"_id": "unjudged", "text": "?"}]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "qrels").mkdir()
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        lines = "\r\n".join(json.dumps(row) for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8-sig")
    return tmp_path


def judged(folder, qrels):
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "qrels",
    [
        "query-id\tcorpus-id\tscore\n1\t1\t2\nq2\td 2/\u00fc\t1.0\nq2\tnowhere\t1\nq9\t1\t1\n1\tempty\t0\n\n",
        "1\t1\t2\r\nq2\td 2/\u00fc\t1\r\nq2\tnowhere\t1",
        "1\t0\t1\t2\nq2\t0\td 2/\u00fc\t1\nq2\t0\tnowhere\t1",
    ],
)
def test_what_is_right_is_read_with_or_without_header_and_in_trecs_columns(folder, qrels):
    dataset = read(judged(folder, qrels))
    assert [each.document_id for each in dataset.documents] == ["1", "d 2/\u00fc", "empty"]
    assert dataset.queries == {"1": "loom", "q2": ""}
    assert dataset.right == {"1": {"1": 2}, "q2": {"d 2/\u00fc": 1, "nowhere": 1}}


def test_code_is_known_by_its_looks_unless_told(folder):
    code = {"_id": "c", "text": "def warp(threads):\n    for each in threads:\n        yield each\n    return None\n"}
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(code))
    judged(folder, "1\t1\t1")
    assert [each.category for each in read(folder).documents][-1] is Category.CODE
    assert {each.category for each in read(folder, "article").documents} == {Category.ARTICLE}


@pytest.mark.parametrize("wrong", ["header\n1 1 many", "header only"])
def test_what_cannot_be_read_ends_the_program_and_says_where(folder, wrong):
    with pytest.raises(SystemExit, match=folder.name):
        read(judged(folder, wrong))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"corpus\.jsonl"):
        read(tmp_path)


def test_span_questions_are_read_line_by_line(tmp_path):
    file = tmp_path / "questions.jsonl"
    row = {"question": "Why?", "document": "./a.md", "spans": [[0, 4]]}
    file.write_text("\ufeff" + json.dumps(row) + "\r\n\n", encoding="utf-8")
    assert read_questions(file) == [Question("Why?", "a.md", ((0, 4),))]
    file.write_text(json.dumps({"question": "Why?"}), encoding="utf-8")
    with pytest.raises(SystemExit, match="line 1"):
        read_questions(file)
