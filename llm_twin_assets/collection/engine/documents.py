"""What a connector found, made a raw document: scrubbed, identified, hashed, and recognisable elsewhere."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from llm_twin_assets.collection.connector import Found, Quarantined
from llm_twin_assets.collection.engine.cross_posts import fingerprint
from llm_twin_assets.domain.document import Category, RawDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets.domain.scrub import scrub


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose document it is and which way it comes; `source` is the source's stable name."""

    author: str
    platform: str
    source: str


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """Which kinds are scrubbed, and what of the author's own stays."""

    kinds: Sequence[str]
    public: Sequence[str] = ()


def raw_document(item: Found, origin: Origin, scrubbing: Scrubbing, now: datetime) -> tuple[RawDocument, Counter[str]]:
    """The document as it is stored, and what was scrubbed from it, by kind."""
    code = item.category is Category.CODE
    content = scrub(item.content, scrubbing.kinds, scrubbing.public, code=code)
    title = scrub(item.title, scrubbing.kinds, scrubbing.public, code=code) if item.title else None
    marks = fingerprint(content.text, item.media_type)
    # The metadata counts as content: a page that gets its address later must reach the warehouse. An mtime does not: it
    # differs from one checkout to the next.
    dated = item.published_at.isoformat() if item.published_at and item.dated_by != "mtime" else None
    document = RawDocument(
        document_id=document_id(origin.author, item.stable_id),
        author=origin.author,
        platform=origin.platform,
        category=item.category,
        url=item.url,
        title=title.text if title else None,
        content=content.text,
        media_type=item.media_type,
        published_at=item.published_at,
        code_language=item.code_language,
        repository=item.repository,
        path=item.path,
        content_hash=content_hash(
            content.text,
            title.text if title else None,
            item.url,
            dated,
            item.media_type,
            item.repository,
            item.path,
            *item.tags,
        ),
        collected_at=now,
        source=origin.source,
        listing=item.listing,
        as_of=item.as_of or now,
        excerpt=item.excerpt,
        words=marks.words,
        words_hash=marks.words_hash,
        signature=marks.signature,
        tags=item.tags,
    )
    return document, content.counts + (title.counts if title else Counter())


def unstorable(item: Found) -> Quarantined | None:
    """File names need not be UTF-8 and YAML can write half a surrogate pair; neither can be stored or hashed."""
    said = "\n".join(filter(None, (item.stable_id, item.title, item.content, item.url, item.path)))
    try:
        said.encode()
    except UnicodeEncodeError:
        return Quarantined(repr(item.stable_id), "has a name or text that is not Unicode. Rename or mend it.")
    return None
