"""What of the passages found fits into the model's context: none is cut but the last, and that at a sentence's end.

Where all of them fit, what stands around them in their sections comes with them, as far as there is room.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.retrieve_sections import merged
from llm_twin_assets.inference.blocks import open_fence
from llm_twin_assets.inference.engine import Engine, EngineError
from llm_twin_assets.inference.prompts import Message, Passage, messages
from llm_twin_assets.inference.words import sentences


@dataclass(frozen=True, slots=True)
class _Room:
    """What a prompt may hold."""

    engine: Engine
    question: str
    author_name: str
    tokens: int

    def prompt(self, chunks: Sequence[FoundChunk]) -> list[Message]:
        passages = [Passage(chunk.context or chunk.title, chunk.text) for chunk in chunks]
        return messages(self.question, passages, author_name=self.author_name)

    def holds(self, chunks: Sequence[FoundChunk]) -> bool:
        return self.engine.token_count(self.prompt(chunks)) <= self.tokens


def fitting(
    engine: Engine,
    question: str,
    chunks: Sequence[FoundChunk],
    neighbours: Sequence[FoundChunk] = (),
    *,
    author_name: str,
    max_new_tokens: int,
) -> list[Message]:
    """The prompt with as many passages as leave room for the answer; the question is never cut.

    Where all fit, the first of their neighbours that fit, too, are joined to them. Where not all do, every document's
    best passage comes before any document's second, and where the next one is too long, its first sentences are taken.
    Raises `EngineError` if not even the question fits.
    """
    room = _Room(engine, question, author_name, engine.context_tokens - max_new_tokens)
    if chunks and room.holds(chunks):
        return room.prompt(_with_neighbours(room, chunks, neighbours))
    if not room.holds([]):
        raise EngineError(f"the question is too long for the model's context of {engine.context_tokens} tokens")
    taken: list[FoundChunk] = []
    for chunk in _by_turns(chunks):
        if room.holds([*taken, chunk]):
            taken.append(chunk)
        else:
            # The best of what is left is worth more in part than a worse one whole.
            taken += _beginning(room, taken, chunk)
            break
    return room.prompt(taken)


def _with_neighbours(
    room: _Room, chunks: Sequence[FoundChunk], neighbours: Sequence[FoundChunk]
) -> Sequence[FoundChunk]:
    def joined(count: int) -> Sequence[FoundChunk]:
        return merged([*chunks, *neighbours[:count]]) if count else chunks

    if room.holds(joined(len(neighbours))):
        return joined(len(neighbours))
    return joined(_most(len(neighbours), lambda count: room.holds(joined(count))))


def _by_turns(chunks: Sequence[FoundChunk]) -> list[FoundChunk]:
    """Every document's first, then every document's second, …; within a turn in order of rank."""
    seen: Counter[str] = Counter()
    turns = []
    for chunk in chunks:
        seen[chunk.document_id] += 1
        turns.append(seen[chunk.document_id])
    return [chunk for _, chunk in sorted(zip(turns, chunks, strict=True), key=lambda pair: pair[0])]


def _beginning(room: _Room, taken: Sequence[FoundChunk], chunk: FoundChunk) -> list[FoundChunk]:
    """The longest beginning of whole sentences that fits; nothing of code, which has none."""
    found = [] if chunk.category == Category.CODE else sentences(chunk.text)
    ends = [each.end for each in found if open_fence(chunk.text[: each.end]) is None]
    fits = _most(len(ends), lambda count: room.holds([*taken, _cut(chunk, ends[count - 1])]))
    return [_cut(chunk, ends[fits - 1])] if fits else []


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """How many of so many fit, if each takes room: found by halves."""
    known, too_many = 0, count + 1
    while too_many - known > 1:
        tried = (known + too_many) // 2
        if fits(tried):
            known = tried
        else:
            too_many = tried
    return known


def _cut(chunk: FoundChunk, end: int) -> FoundChunk:
    return replace(chunk, text=chunk.text[:end])
