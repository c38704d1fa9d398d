"""CSV as the platforms write it: a header that must hold certain columns, then rows; a bad row costs that row alone."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.reading.export import ExportError


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column name, and where it ends in the file."""

    where: str
    values: dict[str, str]


def rows(text: str, where: str, required: Sequence[str], mend: str) -> Iterator[Row | Quarantined]:
    """Rows of a table; raises `ExportError` naming the file and the columns if a required one is missing."""
    # `strict` makes an unterminated quote (a truncated file) an error instead of one huge field.
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    header = _header(reader, where, required, mend)
    while True:
        start = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Quarantined(f"{where}:{start}", f"is not CSV: {error}. Mend the row or download the export again.")
            continue
        if not any(fields):
            continue
        if len(fields) != len(header):
            yield Quarantined(
                f"{where}:{start}", f"has {len(fields)} fields where the header has {len(header)}. Mend the row."
            )
            continue
        yield Row(f"{where}:{start}", dict(zip(header, fields, strict=True)))


def _header(reader: Iterator[list[str]], where: str, required: Sequence[str], mend: str) -> list[str]:
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise ExportError("is empty", where=f"{where}:1", mend=mend) from None
    except csv.Error as error:
        raise ExportError(f"is not CSV: {error}", where=f"{where}:1", mend=mend) from None
    missing = [name for name in required if name not in header]
    if missing:
        raise ExportError(
            f"lacks the columns {', '.join(missing)} (it has {', '.join(header)[:200]})",
            where=f"{where}:1",
            mend=mend,
        )
    return header
