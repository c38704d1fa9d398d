"""Documents as collected (raw) and as cleaned."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# The language of a commit, which is code without a path.
DIFF = "diff"
# The platform of what the author wrote in the place of an answer.
FEEDBACK = "feedback"


class Category(StrEnum):
    """How a document is processed, whatever platform it came from."""

    ARTICLE = "article"
    POST = "post"
    CODE = "code"

    @property
    def plural(self) -> str:
        """Name of the category in tables and asset keys: `articles`, `posts`, `code`."""
        return self.value if self is Category.CODE else f"{self.value}s"


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One document as its platform gave it: markup and all, but scrubbed of secrets.

    `media_type` says what `content` is (`text/html`, `text/markdown`, `text/plain`, or a code type such as
    `text/x-python`). `code_language` and `path` are set for code alone; a commit is code in the language `diff`,
    without a path.

    `source` and `listing` say which way it came, `as_of` when the source was as the row says, `revision` how often it
    was changed. `words`, `words_hash` and `signature` (MinHash) are what recognises the same piece elsewhere. An
    `excerpt` is the part that a paywall let through; `removed_at` is set when the source no longer shows the document.
    `tags` are what the source files it under, as stated there.
    """

    document_id: str
    author: str
    platform: str
    category: Category
    url: str | None
    title: str | None
    content: str
    media_type: str
    published_at: datetime | None
    code_language: str | None
    repository: str | None
    path: str | None
    content_hash: str
    collected_at: datetime
    source: str = ""
    listing: str = ""
    as_of: datetime | None = None
    revision: int = 1
    excerpt: bool = False
    removed_at: datetime | None = None
    words: int = 0
    words_hash: str = ""
    signature: bytes = b""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CleanedDocument:
    """One document as features and datasets use it: Markdown or source text, exact.

    `raw_hash` names the raw content and `cleaner` the code version it was made with: together they decide whether a
    document has to be cleaned again (behind a slash `cleaner` tells what site boilerplate was taken). `language` is the
    natural language (ISO 639-1), None for code. `tags` are what the author filed it under, lower case; `flags` what is
    doubtful about its quality. `duplicate_of` is the document that says the same and stands for both: a document that
    has one is kept here and goes no further. `signature` (MinHash, 128 little-endian 32-bit integers; empty for a text
    too short to be compared) is what finds its near-duplicates.
    """

    document_id: str
    author: str
    platform: str
    category: Category
    url: str | None
    title: str
    text: str
    language: str | None
    code_language: str | None
    repository: str | None
    path: str | None
    published_at: datetime | None
    words: int
    content_hash: str
    raw_hash: str
    cleaner: str
    tags: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    duplicate_of: str | None = None
    signature: bytes = b""

    @property
    def is_commit(self) -> bool:
        """Whether it is a commit: a message, indented by four blanks, and the diff below it."""
        return self.category is Category.CODE and self.code_language == DIFF

    @property
    def is_correction(self) -> bool:
        """Whether the author wrote it in the place of an answer; its title is the question."""
        return self.platform == FEEDBACK
