"""A twin, opened for answering, and what an answer is."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.features.retrieve import QuestionEncoder, Retriever
from llm_twin_assets.inference.caches import CachedEncoder, LruCache
from llm_twin_assets.inference.citations import Citation
from llm_twin_assets.inference.engine import Engine, EngineError
from llm_twin_assets.inference.relevance import DEFAULT_RELEVANCE
from llm_twin_assets.inference.standalone import Condenser
from llm_twin_assets.inference.support import DEFAULT_THRESHOLD

# What is masked where nobody says otherwise: as collection does, but for what an author made public.
_PERSONAL = Scrubber.of(("secrets", "email", "phone", "address", "payment", "national_id"))


class Outcome(StrEnum):
    """How a question was answered."""

    ANSWERED = "answered"
    QUOTED = "quoted"
    NOTHING_FOUND = "nothing_found"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is retrieved and written, how near to the question it has to be, and how well supported.

    So many `neighbours` to either side of a chunk found may stand in the prompt with it.
    """

    k: int = 6
    max_new_tokens: int = 160
    support_threshold: float = DEFAULT_THRESHOLD
    relevance_threshold: float = DEFAULT_RELEVANCE
    neighbours: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with what it stands on. `reason` says why it is not the model's own, or what its search lacked.

    `cached` if the release had given it before. `relevance` is how near its best passage was to the question,
    `first_token_ms` when the model's first token came, where it came alone, and `personal_data` how much was masked.
    """

    text: str
    citations: tuple[Citation, ...]
    outcome: Outcome
    degraded: bool
    reason: str | None
    cause: str | None
    support: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    trace_id: str = ""
    trace_url: str | None = None
    answer_id: str = ""
    cached: bool = False
    relevance: float | None = None
    first_token_ms: float | None = None
    personal_data: int = 0

    @property
    def bytes(self) -> int:
        """How much text it holds."""
        texts = (self.text, self.reason or "", *(f"{each.quote}{each.title}{each.url}" for each in self.citations))
        return sum(len(text.encode()) for text in texts)


@dataclass(frozen=True, slots=True)
class Delta:
    """The next part of an answer that is being given."""

    text: str


@dataclass(frozen=True, slots=True)
class Twin:
    """One author's released parts, opened; `labels` (release, snapshot, …) go into every trace.

    Without an engine the author is quoted, and nothing else; where that is because the twin is `paused`, the answer is
    degraded and says so. `answers` belong to this release alone, and so do its `passages`: chunks as they may leave.
    """

    author: str
    author_name: str
    retriever: Retriever
    embedder: QuestionEncoder
    engine: Engine | None
    labels: dict[str, str | bool] = field(default_factory=dict)
    condenser: Condenser | None = None
    scrubber: Scrubber = _PERSONAL
    answers: LruCache[Answer] | None = None
    passages: LruCache[str] | None = None
    paused: bool = False
    embedding_model: str | None = None

    @property
    def opened_engine(self) -> Engine:
        """The engine; raises `EngineError` where there is none."""
        if self.engine is None:
            raise EngineError("this twin only quotes")
        return self.engine

    @property
    def uncached(self) -> "Twin":
        """The same twin, remembering nothing."""
        encoder = self.retriever.embedder
        if not isinstance(encoder, CachedEncoder):
            return replace(self, answers=None)
        return replace(self, answers=None, retriever=replace(self.retriever, embedder=encoder.encoder))

    @property
    def muted(self) -> "Twin":
        """The same twin while it is paused: its model says nothing, nor what it said before."""
        return self if self.engine is None else replace(self, engine=None, answers=None, paused=True)

    def masked(self, text: str) -> str:
        """A text without personal data and secrets: what may leave."""
        return self.scrubber.masked(text)

    def masked_passage(self, text: str) -> str:
        """A chunk's text as it may leave; the chunks that are found often are masked once."""
        if self.passages is None:
            return self.masked(text)
        if (known := self.passages.get(text)) is None:
            known = self.masked(text)
            # Mostly there is nothing to mask: then one text is kept, not two.
            self.passages.put(text, text if known == text else known)
        return known
