"""Cross-posts kept in the warehouse: which document is the copy of which."""

import pyarrow as pa
import pyarrow.compute as pc

from llm_twin_assets.collection.engine import state
from llm_twin_assets.collection.engine.cross_posts import Piece, link
from llm_twin_assets.collection.engine.stored import LINKS_TABLE, table_of
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import digest_of_set
from resources.warehouse import Warehouse

SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("canonical_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("similarity", pa.float64(), nullable=False),
    ]
)
_CATEGORIES = (Category.ARTICLE, Category.POST)
_TOLD_BY = ("document_id", "words_hash", "excerpt", "removed_at")
_MARKS = (*_TOLD_BY, "platform", "source", "published_at", "words", "signature")
# Under this name the state table keeps what the links were last made from.
_SOURCE = "cross_posts"


def link_copies(warehouse: Warehouse, author: str) -> int:
    """Bring the author's cross-posts up to date with everything that stands; returns how many there are."""
    made_from = _digest(warehouse, author)
    if state.load(warehouse, author, _SOURCE).engine.get("made_from") == made_from:
        return int(warehouse.read(LINKS_TABLE, author, ["document_id"]).num_rows)
    links = link([piece for category in _CATEGORIES for piece in _pieces(warehouse, author, category)])
    rows = [
        {
            "document_id": each.document_id,
            "author": author,
            "canonical_id": each.canonical_id,
            "kind": each.kind,
            "similarity": each.similarity,
        }
        for each in links
    ]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    warehouse.merge(LINKS_TABLE, table, author, complete=True, compared=("canonical_id", "kind"))
    state.save(warehouse, author, _SOURCE, [state.Entry("engine", "made_from", made_from)])
    return len(links)


def _digest(warehouse: Warehouse, author: str) -> str:
    """Of what decides the links; read without the signatures, which are most of a row."""
    return digest_of_set(
        f"{row['document_id']}:{row['words_hash']}:{row['excerpt']}"
        for category in _CATEGORIES
        for row in warehouse.read(table_of(category), author, _TOLD_BY).to_pylist()
        if row.get("words_hash") and row["removed_at"] is None
    )


def _pieces(warehouse: Warehouse, author: str, category: Category) -> list[Piece]:
    rows = warehouse.read(table_of(category), author, _MARKS)
    if "words_hash" not in rows.column_names:
        return []  # a table of an earlier version: its rows have no marks until they are read again
    standing = rows.filter(pc.and_(pc.is_valid(rows["words_hash"]), pc.is_null(rows["removed_at"])))
    return [
        Piece(
            document_id=row["document_id"],
            platform=row["platform"],
            source=row["source"] or "",
            category=category,
            published_at=row["published_at"],
            words=row["words"] or 0,
            words_hash=row["words_hash"],
            signature=row["signature"] or b"",
            excerpt=bool(row["excerpt"]),
        )
        for row in standing.to_pylist()
    ]
