"""A twin whose model says what a test wants, and what has to be true of every answer."""

import re
from collections.abc import Callable, Iterator, Sequence

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference.answer import Answer, Twin
from llm_twin_assets.inference.engine import Cancellation, Engine, Generated, Piece, Sampling
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.vector_store import Index

TEXTS = {each.document_id: each.text for each in tiny_twin.DOCUMENTS}
SPLIT = "How should I split samples into training and test set?"


class Scripted:
    """An engine that says what the test wants; a word is a token."""

    name = "scripted"

    def __init__(self, says: str | Callable[[], str], context_tokens: int = 1024) -> None:
        self._says = says
        self.context_tokens = context_tokens
        self.prompts: list[Sequence[Message]] = []
        self.piece = 3
        self.written = 0

    def token_count(self, messages: Sequence[Message]) -> int:
        return sum(len(message["content"].split()) for message in messages)

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Generated:
        self.prompts.append(messages)
        text = self._says if isinstance(self._says, str) else self._says()
        return Generated(text, self.token_count(messages), min(len(text.split()), sampling.max_new_tokens))

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        whole = self.generate(messages, sampling, cancelled)
        for at in range(0, len(whole.text), self.piece):
            self.written += 1
            yield Piece(whole.text[at : at + self.piece])
        yield whole


def twin(index: Index, embedder: Embedder, engine: Engine | None, **more: object) -> Twin:
    return Twin(
        tiny_twin.AUTHOR,
        "Maya Lindqvist",
        Retriever(index, embedder),
        embedder,
        engine,
        {"release": "maya-000001"},
        **more,
    )


def assert_true(given: Answer) -> None:
    """Every citation is exact, and marks and citations are the same set."""
    marks = [int(mark) for mark in re.findall(r"\[(\d+)\]", re.sub(r"```.*?```", "", given.text, flags=re.DOTALL))]
    assert set(marks) == {each.marker for each in given.citations}
    for each in given.citations:
        assert TEXTS[each.document_id][each.start : each.end] == each.quote


def found(document: tiny_twin.CleanedDocument, score: float = 0.5) -> FoundChunk:
    """A whole document as a passage."""
    return FoundChunk(
        document.document_id, document.document_id, document.category.value, document.platform, document.url,
        document.title, document.title, 0, len(document.text), document.text, score,
    )  # fmt: skip
