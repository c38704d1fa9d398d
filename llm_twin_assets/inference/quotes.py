"""Quoting instead of generating: the best few blocks of what was retrieved, exactly as the author wrote them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.retrieve import QuestionEncoder
from llm_twin_assets.inference.blocks import Block, blocks, fenced, open_fence
from llm_twin_assets.inference.words import content_words, sentences

_MAX_QUOTES = 3
_MAX_CHARACTERS = 600  # of one quote; a longer paragraph is cut at sentence ends
_EMBEDDED = 6  # candidates that are compared by embedding: each costs tens of milliseconds on one core
_MIN_WORDS = 4  # content words; less is a caption, a link or a lead-in
_NEAR_BEST = 0.75  # further quotes have to be this close to the best one
_NEIGHBOUR = 0.4  # and less close if they go on where a quote ends, or end where it begins
_OVERLAP_WEIGHT = 0.5
_RANK_WEIGHT = 0.02
# all-MiniLM-L6-v2 gives unrelated questions and paragraphs a cosine of about 0.0 to 0.2.
_IRRELEVANT = 0.2


@dataclass(frozen=True, slots=True)
class Quote:
    """`chunk.text[start:end]`, word for word, with its likeness to the question."""

    chunk: FoundChunk
    start: int
    end: int
    score: float

    @property
    def text(self) -> str:
        """The author's words."""
        return self.chunk.text[self.start : self.end]


def best_quotes(question: str, chunks: Sequence[FoundChunk], embedder: QuestionEncoder) -> list[Quote]:
    """The passages that answer best, best first; none if nothing is near the question at all."""
    candidates = _candidates(question, chunks)
    if not candidates:
        return []
    ranked = sorted(_scored(question, candidates, embedder), key=lambda quote: -quote.score)
    chosen: list[Quote] = []
    for quote in ranked:
        if any(_overlap(quote, other) for other in chosen):
            continue
        if (beside := _beside(quote, chosen)) is not None and quote.score >= ranked[0].score * _NEIGHBOUR:
            chosen[beside] = _joined(chosen[beside], quote)
        elif len(chosen) < _MAX_QUOTES and quote.score >= ranked[0].score * _NEAR_BEST:
            chosen.append(quote)
    return chosen


def best_block(chunk: FoundChunk, text: str) -> Quote:
    """The block of a chunk that shares the most words with a text; the whole chunk if it has no block."""
    said = set(content_words(text))
    found = [block for block in _quotable(chunk) if block.kind != "heading"] or _between_gaps(
        chunk, Block(0, len(chunk.text), "prose")
    )
    best = max(found, key=lambda block: len(said & set(content_words(chunk.text[block.start : block.end]))))
    return Quote(chunk, best.start, best.end, chunk.score)


def rendered(quote: Quote, mark: str) -> str:
    """A quote as Markdown, followed by its mark; code stands in a fence."""
    text = quote.text
    if quote.chunk.category == Category.CODE:
        return f"{fenced(text, _language(quote.chunk))}\n{mark}"
    if fence := open_fence(text):
        return f"{text}\n{fence}\n{mark}"
    on_own_line = blocks(text)[-1].kind != "prose"
    return f"{text}\n\n{mark}" if on_own_line else f"{text} {mark}"


def _candidates(question: str, chunks: Sequence[FoundChunk]) -> list[Quote]:
    asked = set(content_words(question))
    found = []
    for rank, chunk in enumerate(chunks):
        for start, end in _spans(chunk, asked):
            said = set(content_words(chunk.text[start:end]))
            if len(said) >= _MIN_WORDS:
                overlap = len(asked & said) / max(1, len(asked))
                found.append(Quote(chunk, start, end, _OVERLAP_WEIGHT * overlap - _RANK_WEIGHT * rank))
    return sorted(found, key=lambda quote: -quote.score)[:_EMBEDDED]


def _scored(question: str, candidates: Sequence[Quote], embedder: QuestionEncoder) -> list[Quote]:
    vectors = embedder.encode([question, *(_embedded_text(quote) for quote in candidates)])
    likeness = vectors[1:] @ vectors[0]
    asked = set(content_words(question))
    return [
        Quote(quote.chunk, quote.start, quote.end, quote.score + float(cosine))
        for quote, cosine in zip(candidates, likeness, strict=True)
        if cosine >= _IRRELEVANT or asked & set(content_words(quote.text))
    ]


def _embedded_text(quote: Quote) -> str:
    context = quote.chunk.context or quote.chunk.title
    return f"{context}\n\n{quote.text}" if context else quote.text


def _spans(chunk: FoundChunk, asked: set[str]) -> list[tuple[int, int]]:
    """Blocks to quote; a block that ends in a colon comes with the one it announces."""
    found = [block for block in _quotable(chunk) if block.kind != "heading"]
    spans: list[tuple[int, int]] = []
    for at, block in enumerate(found):
        announced = at > 0 and _announces(chunk, found[at - 1]) and _is_exact(chunk, spans[-1][0], block.end)
        if announced:
            start, _ = spans.pop()
            spans.append((start, block.end))
        elif block.kind == "prose" and block.end - block.start > _MAX_CHARACTERS:
            spans.append(_shortened(chunk.text, block, asked))
        else:
            spans.append((block.start, block.end))
    return spans


def _quotable(chunk: FoundChunk) -> list[Block]:
    """Source code is quoted as a whole: its blank lines end nothing. A gap ends every quote, for quotes are exact."""
    whole = [Block(0, len(chunk.text), "code")] if chunk.category == Category.CODE else blocks(chunk.text)
    return [part for block in whole for part in _between_gaps(chunk, block)]


def _between_gaps(chunk: FoundChunk, block: Block) -> list[Block]:
    cuts = [(start, end) for start, end in chunk.gaps if block.start < end and start < block.end]
    starts, ends = [block.start, *(end for _, end in cuts)], [*(start for start, _ in cuts), block.end]
    return [Block(start, end, block.kind) for start, end in zip(starts, ends, strict=True) if start < end]


def _is_exact(chunk: FoundChunk, start: int, end: int) -> bool:
    return not any(start < gap_end and gap_start < end for gap_start, gap_end in chunk.gaps)


def _announces(chunk: FoundChunk, block: Block) -> bool:
    return block.kind == "prose" and chunk.text[block.start : block.end].endswith(":")


def _shortened(text: str, block: Block, asked: set[str]) -> tuple[int, int]:
    """The sentences around the one that shares most with the question, as many as fit."""
    found = list(sentences(text[block.start : block.end]))
    best = max(range(len(found)), key=lambda at: len(asked & set(content_words(found[at].text))))
    first = last = best
    while True:
        if last + 1 < len(found) and found[last + 1].end - found[first].start <= _MAX_CHARACTERS:
            last += 1
        elif first > 0 and found[last].end - found[first - 1].start <= _MAX_CHARACTERS:
            first -= 1
        else:
            return block.start + found[first].start, block.start + found[last].end


def _beside(quote: Quote, chosen: Sequence[Quote]) -> int | None:
    """Which of the chosen quotes this one continues, if both together are not too long."""
    for at, other in enumerate(chosen):
        joined = _joined(other, quote)
        between = quote.chunk.text[min(other.end, quote.end) : max(other.start, quote.start)]
        fits = joined.end - joined.start <= _MAX_CHARACTERS and _is_exact(quote.chunk, joined.start, joined.end)
        if other.chunk == quote.chunk and not between.strip() and fits:
            return at
    return None


def _joined(one: Quote, other: Quote) -> Quote:
    return Quote(one.chunk, min(one.start, other.start), max(one.end, other.end), one.score)


def _overlap(one: Quote, other: Quote) -> bool:
    """Chunks may overlap: the same words must not be quoted twice."""
    if one.chunk.document_id != other.chunk.document_id:
        return one.text == other.text
    start, end = one.chunk.start + one.start, one.chunk.start + one.end
    return start < other.chunk.start + other.end and other.chunk.start + other.start < end


_LANGUAGES = {
    ".py": "python",
    ".rs": "rust",
    ".go": "go",
    ".js": "javascript",
    ".ts": "typescript",
    ".sh": "sh",
    ".sql": "sql",
}


def _language(chunk: FoundChunk) -> str:
    for name in (chunk.title, chunk.url or ""):
        if language := _LANGUAGES.get(PurePosixPath(name.split("#")[0]).suffix):
            return language
    return ""
