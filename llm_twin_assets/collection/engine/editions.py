"""What becomes of a document that was found again: which of two editions of it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from llm_twin_assets.domain.document import Category, RawDocument


class Verdict(StrEnum):
    """What to do with the row; `KEPT` leaves it as it is although what was found differs."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the warehouse, without its text."""

    document_id: str
    platform: str
    category: Category
    source: str
    listing: str
    url: str | None
    content_hash: str
    words_hash: str
    excerpt: bool
    revision: int
    as_of: datetime | None
    removed: bool

    @property
    def origin(self) -> tuple[str, str, str]:
        """The way it came."""
        return self.platform, self.source, self.listing


def known_of(document: RawDocument) -> Known:
    """What the warehouse knows of a document once it is stored."""
    return Known(
        document_id=document.document_id,
        platform=document.platform,
        category=document.category,
        source=document.source,
        listing=document.listing,
        url=document.url,
        content_hash=document.content_hash,
        words_hash=document.words_hash,
        excerpt=document.excerpt,
        revision=document.revision,
        as_of=document.as_of,
        removed=document.removed_at is not None,
    )


def judge(known: Known | None, found: RawDocument) -> Verdict:
    """Which of two editions stands.

    The same way (platform, source, listing) always brings the newer one. Two ways to one document (an export and a
    feed) write it down differently: as long as the words are the same the row stays, else the later edition wins,
    and what a paywall lets through never replaces the whole.
    """
    if known is None:
        return Verdict.NEW
    # A row of an earlier version does not say which way it came, nor what it is recognised by.
    if not known.source:
        return Verdict.CHANGED
    if found.content_hash == known.content_hash and found.category is known.category:
        return Verdict.UNCHANGED
    if found.excerpt and not known.excerpt:
        return Verdict.KEPT
    if known.origin == (found.platform, found.source, found.listing):
        return Verdict.CHANGED
    if known.excerpt and not found.excerpt:
        return Verdict.CHANGED
    if known.words_hash == found.words_hash:
        return Verdict.CHANGED if found.url and not known.url else Verdict.KEPT
    return Verdict.CHANGED if _later(found.as_of, known.as_of) else Verdict.KEPT


def _later(found: datetime | None, known: datetime | None) -> bool:
    return known is None or (found is not None and found > known)
