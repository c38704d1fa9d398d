import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.platforms.linkedin_export import unescaped
from llm_twin_assets.collection.reading.csv_table import Row, rows
from llm_twin_assets.collection.reading.export import ExportError

CELLS = st.text(alphabet=st.characters(codec="utf-8", blacklist_characters="\r\0"))


@given(st.lists(st.tuples(CELLS.filter(bool), CELLS)))
def test_what_csv_wrote_comes_back(written: list[tuple[str, str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows([("a", "b"), *written])
    read = list(rows(buffer.getvalue(), "x.csv", ("a", "b"), "mend"))
    assert [(row.values["a"], row.values["b"]) for row in read if isinstance(row, Row)] == written


@given(st.text())
def test_any_text_is_rows_or_quarantine_or_a_typed_error(text: str) -> None:
    assert all(isinstance(row, Row | Quarantined) for row in rows("a,b\n" + text, "x.csv", ("a",), "mend"))
    with contextlib.suppress(ExportError):
        list(rows(text, "x.csv", ("a",), "mend"))


@given(CELLS)
def test_backslash_escapes_come_back(text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    (row,) = rows(unescaped(f'a,b\n1,"{written}"\n'), "x.csv", ("a",), "mend")
    assert isinstance(row, Row)
    assert row.values["b"] == text


def test_an_empty_file_is_an_error() -> None:
    with pytest.raises(ExportError, match=r"x\.csv:1: is empty"):
        list(rows("", "x.csv", ("a",), "Download again."))
