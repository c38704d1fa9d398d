"""A released twin whose model says what it is told, as fast as it is told: only then can be tested what takes time."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bentos.desk import Desk
from bentos.follower import ReleaseFollower
from bentos.releases import Released
from llm_twin_assets.domain.release import Release
from llm_twin_assets.features.retriever import retriever_of
from llm_twin_assets.inference.answer import Twin
from llm_twin_assets.inference.engine import Cancellation, EngineError, Failure, Generated, Piece, Sampling
from llm_twin_assets.inference.prompts import Message
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.settings import Retrieval, Serving
from resources.tracing import NoTracer

# What stands in one of the documents, so that it is supported.
TRUE = "Split by document before you make a single sample. The perplexity rose from 11 to 29, and it was true."


@dataclass
class Scripted:
    """An engine; `noticed` says that it saw that nobody waits any more, `asked` what it was last told."""

    says: str = TRUE
    pause: float = 0.0
    fails: EngineError | None = None
    name: str = "scripted"
    context_tokens: int = 100_000
    noticed: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[Sequence[Message], Sampling]] = field(default_factory=list)

    def reset(self) -> None:
        self.says, self.pause, self.fails = TRUE, 0.0, None
        self.noticed.clear()
        self.asked.clear()

    def token_count(self, messages: Sequence[Message]) -> int:
        return sum(len(each["content"]) // 4 for each in messages)

    def generate(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Generated:
        *_, whole = self.stream(messages, sampling, cancelled)
        assert isinstance(whole, Generated)
        return whole

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        self.asked.append((messages, sampling))
        if self.fails is not None:
            raise self.fails
        words = self.says.split(" ")
        for at, word in enumerate(words):
            if self.pause:  # even the shortest sleep takes some 50 µs
                time.sleep(self.pause)
            if cancelled is not None and cancelled.is_set():
                self.noticed.set()
                raise EngineError("nobody waits", kind=Failure.CANCELLED)
            yield Piece(word if at == 0 else f" {word}")
        yield Generated(self.says, self.token_count(messages), len(words))


def scripted_desk(
    home: Path,
    embedder: Embedder,
    engine: Scripted,
    authors: Sequence[str] = ("maya", "ben"),
    others: Mapping[str, Scripted] = MappingProxyType({}),
) -> Desk:
    """A desk at which these authors' twins are released: all is real but the model; `others` are of later versions."""
    store = LanceVectorStore(str(home / "embedded"))

    def opened(record: Release) -> Released:
        retriever = retriever_of(store.open(record.author, record.snapshot), embedder, Retrieval())
        labels = {"release": record.release_id}
        model = others.get(record.model_version, engine)
        twin = Twin(record.author, record.author_name, retriever, embedder, model, labels)
        return Released(record, twin, embedder)

    for author in authors:
        tiny_twin.embed_documents(home, embedder, author)
        tiny_twin.point_to(home, tiny_twin.release(embedder, author=author))
    following = ReleaseFollower(ObjectStore(str(home / "objects")), opened, warm=False)
    following.poll()
    return Desk(following, Serving(max_new_tokens=64), NoTracer())
