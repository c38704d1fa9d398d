"""The raw documents of an author as the warehouse holds them: what is known of each, and which of them stand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from llm_twin_assets.collection.engine.editions import Known
from llm_twin_assets.domain.document import Category, RawDocument
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Forgotten
from llm_twin_assets.domain.identity import digest_of_set
from llm_twin_assets.domain.tables import RAW_SCHEMA, raw_documents, to_table
from resources.warehouse import Warehouse

NOTHING = "none"
LINKS_TABLE = "collection/cross_posts"
_KNOWN = (
    "document_id", "platform", "source", "listing", "url", "content_hash", "words_hash", "excerpt", "revision",
    "as_of", "removed_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """What the warehouse holds of an author's platform: documents that stand, removed ones, digest of the former."""

    rows: int
    removed: int
    data_version: str


def table_of(category: Category) -> str:
    """The warehouse table that raw documents of a category go to."""
    return f"raw/{category.plural}"


def known_documents(warehouse: Warehouse, author: str) -> dict[str, Known]:
    """Every raw document of an author, whatever its platform, by its id."""
    rows = [
        _known(row, category)
        for category in Category
        for row in warehouse.read(table_of(category), author, _KNOWN).to_pylist()
    ]
    # A document that changed its category left a tombstone in the other table: what stands comes last and counts.
    return {known.document_id: known for known in sorted(rows, key=lambda known: not known.removed)}


def write(warehouse: Warehouse, author: str, documents: Sequence[RawDocument]) -> None:
    """Insert or replace documents, one commit for each category."""
    by_category: dict[Category, list[RawDocument]] = defaultdict(list)
    for document in documents:
        by_category[document.category].append(document)
    for category, rows in sorted(by_category.items()):
        warehouse.upsert(table_of(category), to_table(rows, RAW_SCHEMA), author)


def set_removed(warehouse: Warehouse, author: str, documents: Iterable[Known], at: datetime | None) -> None:
    """Put up tombstones, or take them away (`at` is None); the texts stay."""
    value = f"to_timestamp('{at.isoformat()}')" if at else "NULL"
    by_category: dict[Category, list[str]] = defaultdict(list)
    for known in documents:
        by_category[known.category].append(known.document_id)
    for category, ids in sorted(by_category.items()):
        warehouse.update(table_of(category), author, ids, {"removed_at": value})


def forgotten(warehouse: Warehouse, author: str) -> Forgotten:
    """What must not come back."""
    return Forgotten.of(author, warehouse.read(FORGOTTEN_TABLE, author))


def standing(warehouse: Warehouse, author: str, category: Category) -> list[RawDocument]:
    """The documents that later stages use: neither removed or forgotten, nor an excerpt, nor the copy of another."""
    rows = warehouse.read(table_of(category), author)
    if not rows.num_rows:
        return []
    passed_over = copies(warehouse, author).keys() | forgotten(warehouse, author).documents
    documents = raw_documents(_present(rows))
    return [each for each in documents if not each.excerpt and each.document_id not in passed_over]


def copies(warehouse: Warehouse, author: str) -> dict[str, str]:
    """Documents that say the same as another one elsewhere, each with that one's id."""
    rows = warehouse.read(LINKS_TABLE, author, ["document_id", "canonical_id"]).to_pylist()
    return {row["document_id"]: row["canonical_id"] for row in rows}


def summary(warehouse: Warehouse, author: str, platform: str, categories: Iterable[Category]) -> Stored:
    """Count and digest of an author's rows of a platform; the digest changes with every text, tombstone and link."""
    linked = copies(warehouse, author)
    standing_rows: list[str] = []
    removed = 0
    for category in categories:
        columns = ["document_id", "content_hash", "platform", "removed_at"]
        for row in warehouse.read(table_of(category), author, columns).to_pylist():
            if row["platform"] != platform:
                continue
            if row.get("removed_at") is not None:
                removed += 1
                continue
            document = row["document_id"]
            standing_rows.append(f"{document}:{row['content_hash']}:{linked.get(document, '')}")
    return Stored(len(standing_rows), removed, digest_of_set(standing_rows) if standing_rows else NOTHING)


def _present(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.is_null(rows["removed_at"])) if "removed_at" in rows.column_names else rows


def _known(row: dict[str, object], category: Category) -> Known:
    as_of = row.get("as_of")
    revision = row.get("revision")
    return Known(
        document_id=str(row["document_id"]),
        platform=str(row["platform"]),
        category=category,
        source=str(row.get("source") or ""),
        listing=str(row.get("listing") or ""),
        url=str(row["url"]) if row["url"] else None,
        content_hash=str(row["content_hash"]),
        words_hash=str(row.get("words_hash") or ""),
        excerpt=bool(row.get("excerpt")),
        revision=revision if isinstance(revision, int) else 1,
        as_of=as_of if isinstance(as_of, datetime) else None,
        removed=row.get("removed_at") is not None,
    )
