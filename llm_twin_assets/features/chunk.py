"""Cleaned documents to chunks: exact spans, in the embedding model's own tokens, nothing ever truncated.

Always `document.text[start:end] == chunk.text`; the chunks of a document leave out only blanks, and overlap by no more
than what is configured.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from llm_twin_assets.domain.chunk import Chunk
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import chunk_id, digest
from llm_twin_assets.features.chunk_article import article_spans
from llm_twin_assets.features.chunk_code import code_spans
from llm_twin_assets.features.chunk_cut import Span, trimmed
from llm_twin_assets.features.chunk_grammars import PACKAGES, language_of
from llm_twin_assets.features.chunk_ruler import Count
from llm_twin_assets.features.chunk_size import Sizer

# What the result depends on: a change in any of them chunks every document again (and embeds only what came out other).
_RULES = (
    "chunk", "chunk_article", "chunk_code", "chunk_cut", "chunk_definitions", "chunk_grammars", "chunk_ruler",
    "chunk_size", "markdown_blocks",
)  # fmt: skip


@cache
def chunker() -> str:
    """Version of the chunking rules: digest of the modules that hold them and of the grammars they rely on."""
    folder = Path(__file__).parent
    files = {name: hashlib.sha256((folder / f"{name}.py").read_bytes()).hexdigest() for name in _RULES}
    return digest({**files, **{name: version(name) for name in PACKAGES}})[:16]


def chunking_digest(max_tokens: int, overlap: int = 0) -> str:
    """Digest of all that decides how a document is cut, beside its text: a row of another one is out of date."""
    return digest([chunker(), max_tokens, overlap])[:16]


def chunk_document(document: CleanedDocument, count: Count, max_tokens: int, overlap: int = 0) -> list[Chunk]:
    """The chunks of a document in order; `count` gives a text's length in tokens, special tokens included."""
    text = document.text
    found = [
        (span, context)
        for whole, context in _spans(Sizer(text, count, max_tokens, overlap), document)
        if (span := trimmed(text, whole))
    ]
    return [
        Chunk(
            chunk_id=chunk_id(document.document_id, start, end, text[start:end]),
            document_id=document.document_id,
            ordinal=ordinal,
            start=start,
            end=end,
            text=text[start:end],
            context=context,
        )
        for ordinal, ((start, end), context) in enumerate(found)
    ]


def _spans(sizer: Sizer, document: CleanedDocument) -> Iterator[tuple[Span, str]]:
    if document.category is Category.ARTICLE:
        return article_spans(sizer, document.title)
    if document.category is Category.CODE:
        place = "/".join(part for part in (document.repository, document.path or document.title) if part)
        return code_spans(sizer, place, language_of(document.code_language, document.path))
    # A post's title is its own first words: it would only say them twice.
    return ((span, "") for span in sizer.pack([(0, len(document.text))], ""))
