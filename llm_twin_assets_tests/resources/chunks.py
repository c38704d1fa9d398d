"""Rows as embedding makes them, small enough to read."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

PUBLISHED = datetime(2025, 3, 4, tzinfo=UTC)


def rows(
    names, category="article", document="d", dimension=2, text="the jacquard loom", language=None, tags=None, **columns
):
    """A chunk per name, its ordinal being its place; all of one document, all with the vector (1, 0, …)."""
    strings = ["chunk_id", "document_id", "document_hash", "embedding_key", "category", "platform", "url", "title"]
    schema = pa.schema(
        [
            *((name, pa.string()) for name in (*strings, "context", "text", "indexed_text")),
            *((name, pa.int64()) for name in ("start", "end", "ordinal")),
            ("published_at", pa.timestamp("us", tz="UTC")),
            *([("language", pa.string())] if language else []),
            *([("tags", pa.list_(pa.string()))] if tags is not None else []),
            ("vector", pa.list_(pa.float32(), dimension)),
        ]
    )
    same = {
        "document_id": document, "document_hash": "hash", "category": category, "platform": "files", "url": None,
        "title": "It's", "context": "", "start": 0, "end": 1, "published_at": PUBLISHED, "language": language,
        "tags": tags, "vector": np.eye(1, dimension, dtype=np.float32)[0].tolist(),
    }  # fmt: skip
    each = [
        same
        | {"chunk_id": name, "embedding_key": f"key-{name}", "ordinal": place}
        | dict.fromkeys(("text", "indexed_text"), f"{text} {name}")
        | columns
        for place, name in enumerate(names)
    ]
    return pa.Table.from_pylist(each, schema=schema)


def with_vectors(table, vectors):
    """The rows with other vectors."""
    width = len(vectors[0]) if vectors else table.schema.field("vector").type.list_size
    column = pa.array(vectors, pa.list_(pa.float32(), width))
    return table.set_column(table.schema.get_field_index("vector"), "vector", column)
