"""What the last answers stood on, by their ids: so many of them, in memory; Phoenix keeps the traces for longer."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from bentos.replies import release_out
from bentos.schemas import DocumentOut, LineageOut
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.remark import Answered
from llm_twin_assets.inference.answer import Answer


@dataclass(frozen=True, slots=True)
class _Kept:
    answered_at: datetime
    outcome: str
    release: Release
    documents: tuple[DocumentOut, ...]
    trace_id: str
    trace_url: str | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """An answer with its words, and whose twin gave it."""

    author: str
    answered: Answered


class AnswerLog:
    """The newest `most` answers without their words, for their lineage, and of the newest `spoken` the words, too.

    Feedback is given soon after an answer if at all. What comes later gets its words from the trace.
    """

    def __init__(self, most: int = 10_000, spoken: int = 1000) -> None:
        self._most = most
        self._most_spoken = spoken
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._spoken: OrderedDict[str, Spoken] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, question: str, answer: Answer, release: Release) -> None:
        """Remember an answer to a question that stands by itself; the oldest goes when there are too many."""
        documents = {each.document_id: DocumentOut(document_id=each.document_id, url=each.url, title=each.title)
                     for each in answer.citations}  # fmt: skip
        kept = _Kept(
            datetime.now(UTC), answer.outcome.value, release, tuple(documents.values()), answer.trace_id,
            answer.trace_url,
        )  # fmt: skip
        words = Answered(question=question, answer=answer.text, documents=tuple(documents))
        with self._lock:
            self._kept[answer.answer_id] = kept
            self._spoken[answer.answer_id] = Spoken(release.author, words)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            while len(self._spoken) > self._most_spoken:
                self._spoken.popitem(last=False)

    def spoken(self, answer_id: str) -> Spoken | None:
        """An answer's words, None if they are not remembered."""
        with self._lock:
            return self._spoken.get(answer_id)

    def lineage(self, answer_id: str) -> LineageOut | None:
        """What an answer stands on, None if it is not remembered."""
        with self._lock:
            kept = self._kept.get(answer_id)
        if kept is None:
            return None
        return LineageOut(
            answer_id=answer_id,
            answered_at=kept.answered_at,
            outcome=kept.outcome,
            release=release_out(kept.release),
            documents=kept.documents,
            trace_id=kept.trace_id,
            trace_url=kept.trace_url,
        )
