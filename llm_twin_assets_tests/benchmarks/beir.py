"""Labelled sets in BEIR layout, read as they are found: with or without titles, headers, byte order marks.

`corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`), `qrels/test.tsv` (query, document, grade; or
TREC's four columns). Ids may be numbers. What cannot be read at all ends the program and says where.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash
from llm_twin_assets_tests.benchmarks.code_guess import code_language

AUTHOR = "benchmark"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents, queries by id, and which documents are right for a query (with a grade)."""

    documents: tuple[CleanedDocument, ...]
    queries: Mapping[str, str]
    right: Mapping[str, Mapping[str, int]]


def read(folder: Path, category: str = "auto") -> Dataset:
    """A folder in BEIR layout; queries that nothing is right for are left out, as BEIR does.

    A right document that the corpus lacks stays right: it is a miss for everyone, as in trec_eval.
    """
    # The first of two documents with one id: they would overwrite each other in the index.
    documents: dict[str, CleanedDocument] = {}
    for row in _rows(folder / "corpus.jsonl"):
        documents.setdefault(str(row["_id"]), _document(row, category))
    queries = {str(row["_id"]): _text(row.get("text")) for row in _rows(folder / "queries.jsonl")}
    right: dict[str, dict[str, int]] = {}
    for query, document, grade in _qrels(folder / "qrels" / "test.tsv"):
        if grade > 0 and query in queries:
            right.setdefault(query, {})[document] = grade
    if not documents or not right:
        raise SystemExit(f"{folder}: {len(documents)} documents, {len(right)} queries with a right one: nothing to do")
    return Dataset(tuple(documents.values()), {query: queries[query] for query in right}, right)


def _qrels(path: Path) -> Iterator[tuple[str, str, int]]:
    for number, line in enumerate(_lines(path), start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        try:
            yield cells[0], cells[-2], round(float(cells[-1]))
        except (ValueError, IndexError):
            if number > 1:  # else the header
                raise SystemExit(f"{path}, line {number}: not a query, a document and a grade") from None


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise SystemExit(f"{path}, line {number}: {error}") from None
        if not isinstance(row, dict) or row.get("_id") is None:
            raise SystemExit(f"{path}, line {number}: not an object with an _id")
        yield row


def _lines(path: Path) -> Iterator[str]:
    """By \\n alone: JSON may hold other line ends, U+2028 say, as they are."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None
    yield from (line.rstrip("\r") for line in text.split("\n") if line.strip())


def _document(row: Mapping[str, Any], category: str) -> CleanedDocument:
    title, text = _text(row.get("title")), _text(row.get("text"))
    language = code_language(text) if category != "article" else None
    is_code = category == "code" or (category == "auto" and language is not None)
    return CleanedDocument(
        document_id=str(row["_id"]),
        author=AUTHOR,
        platform="files",
        category=Category.CODE if is_code else Category.ARTICLE,
        url=None,
        title=title,
        text=text,
        language=None,
        code_language=language if is_code else None,
        repository=None,
        path=None,
        published_at=None,
        words=len(text.split()),
        content_hash=content_hash(title, text),
        raw_hash="",
        cleaner="",
    )


def _text(value: object) -> str:
    """JSON may spell half of a surrogate pair, which no tokenizer takes."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
