"""What is to be forgotten, and stays so: a tombstone for each document, which tells who meets it again to leave it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa

from llm_twin_assets.domain.identity import digest

FORGOTTEN_TABLE = "forgotten"

FORGOTTEN_SCHEMA = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("author", pa.string(), nullable=False),
        pa.field("url_digest", pa.string()),
        pa.field("who", pa.string(), nullable=False),
        pa.field("why", pa.string(), nullable=False),
        pa.field("asked_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("done_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One document to be forgotten: digests of what it was called, and who wanted it and why.

    `url_digest` is None where it has no address, or shares it with a document that stays. `done_at` is None until
    nothing is left of it.
    """

    document_id: str
    author: str
    url_digest: str | None
    who: str
    why: str
    asked_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An author's tombstones, to be asked."""

    author: str = ""
    documents: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()

    @classmethod
    def of(cls, author: str, table: pa.Table) -> "Forgotten":
        """From rows of the table."""
        stones = tombstones(table)
        urls = frozenset(stone.url_digest for stone in stones if stone.url_digest)
        return cls(author, frozenset(stone.document_id for stone in stones), urls)

    def covers(self, document_id: str, url: str | None = None) -> bool:
        """Whether a document of this identity, or at this address, is not to be kept."""
        if document_id in self.documents:
            return True
        return bool(self.urls) and url is not None and url_digest(self.author, url) in self.urls


def url_digest(author: str, url: str) -> str:
    """What a tombstone keeps of an address."""
    return digest([author, url])


def tombstones(table: pa.Table) -> list[Tombstone]:
    """Rows as tombstones."""
    return [Tombstone(**{name: row.get(name) for name in FORGOTTEN_SCHEMA.names}) for row in table.to_pylist()]


def tombstone_rows(stones: Iterable[Tombstone]) -> pa.Table:
    """Tombstones as rows: `Warehouse.upsert(FORGOTTEN_TABLE, rows, author)`."""
    return pa.Table.from_pylist([asdict(each) for each in stones], schema=FORGOTTEN_SCHEMA)
