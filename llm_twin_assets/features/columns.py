"""Columns of `cleaned/*` and `embedded/*` as Dagster shows them: their types, and which columns each is made from."""

from collections.abc import Mapping, Sequence

import dagster as dg
import pyarrow as pa

from llm_twin_assets.domain.tables import CLEANED_SCHEMA

# What cleaning reads of a raw document to make a column; where nothing is said, the column of the same name.
_CLEANED_FROM: Mapping[str, Sequence[str]] = {
    "title": ("title", "content"),
    "text": ("content", "media_type", "platform"),
    "language": ("content",),
    "code_language": ("code_language", "media_type"),
    "words": ("content",),
    "content_hash": ("content",),
    "raw_hash": ("content_hash",),
    "cleaner": (),
    "tags": ("tags", "content"),
    "flags": ("content",),
    "duplicate_of": ("content", "published_at"),
    "signature": ("content",),
}
_HASHED = ("content_hash", "title", "platform", "url", "repository", "path", "published_at", "language", "tags")
_TEXT = ("text", "title", "repository", "path", "code_language")
_EMBEDDED_FROM: Mapping[str, Sequence[str]] = {
    "chunk_id": ("document_id", "text"),
    "document_hash": _HASHED,
    "embedding_key": _TEXT,
    "context": _TEXT,
    "text": ("text",),
    "indexed_text": _TEXT,
    "start": ("text",),
    "end": ("text",),
    "ordinal": ("text",),
    "tokens": _TEXT,
    "language": ("language", "code_language"),
    "vector": _TEXT,
}


def cleaned_columns(raw: Sequence[dg.AssetKey]) -> Mapping[str, dg.MetadataValue]:
    """Metadata of a cleaned table that is made from these raw assets."""
    return _columns(CLEANED_SCHEMA, _CLEANED_FROM, raw)


def embedded_columns(schema: pa.Schema, cleaned: dg.AssetKey) -> Mapping[str, dg.MetadataValue]:
    """Metadata of an index with this schema that is made from a cleaned table."""
    return _columns(schema, _EMBEDDED_FROM, [cleaned])


def _columns(
    schema: pa.Schema, made_from: Mapping[str, Sequence[str]], upstream: Sequence[dg.AssetKey]
) -> Mapping[str, dg.MetadataValue]:
    lineage = {
        name: [dg.TableColumnDep(key, column) for key in upstream for column in made_from.get(name, (name,))]
        for name in schema.names
    }
    columns = [
        dg.TableColumn(field.name, str(field.type), constraints=dg.TableColumnConstraints(nullable=field.nullable))
        for field in schema
    ]
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "dagster/column_lineage": dg.MetadataValue.column_lineage(dg.TableColumnLineage(lineage)),
    }
