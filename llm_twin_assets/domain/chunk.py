"""Chunks: the spans of a cleaned document that retrieval finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a cleaned document: `document.text[start:end] == text`.

    `context` (title, heading path or code path) is embedded before the text but is not part of it.
    """

    chunk_id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    context: str

    @property
    def embedded_text(self) -> str:
        """What the embedding model reads."""
        return f"{self.context}\n\n{self.text}" if self.context else self.text


@dataclass(frozen=True, slots=True)
class FoundChunk:
    """A chunk as search returns it, with where it came from and how it scored (higher is better).

    `score` is what the order is by; ranks count from 1, and a part that did not find the chunk gave it none. Where
    whole sections are asked for, `start`, `end` and `text` are the section's; `chunk_id` stays the chunk's found.
    `gaps` are the stretches of such a text, from and to, of which only the length is known: blanks between two chunks.
    """

    chunk_id: str
    document_id: str
    category: str
    platform: str
    url: str | None
    title: str
    context: str
    start: int
    end: int
    text: str
    score: float
    dense_rank: int | None = None
    text_rank: int | None = None
    dense_score: float | None = None
    text_score: float | None = None
    fused_score: float | None = None
    rerank_score: float | None = None
    ordinal: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()
