"""Arrow schemas of the warehouse tables, and the way between rows and documents."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from llm_twin_assets.domain.document import Category, CleanedDocument, RawDocument

_INSTANT = pa.timestamp("us", tz="UTC")

RAW_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("platform", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("title", pa.string()),
        pa.field("content", pa.string(), nullable=False),
        pa.field("media_type", pa.string(), nullable=False),
        pa.field("published_at", _INSTANT),
        pa.field("code_language", pa.string()),
        pa.field("repository", pa.string()),
        pa.field("path", pa.string()),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("collected_at", _INSTANT, nullable=False),
        # Nullable from here on: a table of an earlier version gets these columns added, its rows nothing in them.
        pa.field("source", pa.string()),
        pa.field("listing", pa.string()),
        pa.field("as_of", _INSTANT),
        pa.field("revision", pa.int64()),
        pa.field("excerpt", pa.bool_()),
        pa.field("removed_at", _INSTANT),
        pa.field("words", pa.int64()),
        pa.field("words_hash", pa.string()),
        pa.field("signature", pa.binary()),
        pa.field("tags", pa.list_(pa.string())),
    ]
)

CLEANED_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("platform", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("title", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("language", pa.string()),
        pa.field("code_language", pa.string()),
        pa.field("repository", pa.string()),
        pa.field("path", pa.string()),
        pa.field("published_at", _INSTANT),
        pa.field("words", pa.int64(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("raw_hash", pa.string(), nullable=False),
        pa.field("cleaner", pa.string(), nullable=False),
        # Nullable from here on, as above.
        pa.field("tags", pa.list_(pa.string())),
        pa.field("flags", pa.list_(pa.string())),
        pa.field("duplicate_of", pa.string()),
        pa.field("signature", pa.binary()),
    ]
)


def to_table(documents: Iterable[RawDocument | CleanedDocument], schema: pa.Schema) -> pa.Table:
    """Documents as an Arrow table of the given schema."""
    rows = list(documents)
    # Column by column: `asdict` copies every value, which for 600 documents took longer than to write them.
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def raw_documents(table: pa.Table) -> list[RawDocument]:
    """Rows of a `raw/*` table as documents; a column that an earlier version did not have gives its default."""
    return [RawDocument(**{**_stated(row), "category": Category(row["category"])}) for row in table.to_pylist()]


def cleaned_documents(table: pa.Table) -> list[CleanedDocument]:
    """Rows of a `cleaned/*` table as documents."""
    return [CleanedDocument(**_cleaned(row)) for row in table.to_pylist()]


_ADDED = RAW_SCHEMA.names[RAW_SCHEMA.get_field_index("source") :]


def _stated(row: dict[str, Any]) -> dict[str, Any]:
    stated = {key: value for key, value in row.items() if value is not None or key not in _ADDED}
    return {**stated, "tags": tuple(row.get("tags") or ())}


def _cleaned(row: dict[str, Any]) -> dict[str, Any]:
    lists = {key: tuple(row.get(key) or ()) for key in ("tags", "flags")}
    return {**row, **lists, "signature": row.get("signature") or b"", "category": Category(row["category"])}
