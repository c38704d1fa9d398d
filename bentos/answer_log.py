"""What the last answers stood on, by their ids: so many of them, in memory; Phoenix keeps the traces for longer."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from bentos.replies import release_out
from bentos.schemas import DocumentOut, LineageOut
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.answer import Answer


@dataclass(frozen=True, slots=True)
class _Kept:
    answered_at: datetime
    outcome: str
    release: Release
    documents: tuple[DocumentOut, ...]
    trace_id: str
    trace_url: str | None


class AnswerLog:
    """The newest answers, without their words: who asks for the lineage of one has read it."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, answer: Answer, release: Release) -> None:
        """Remember an answer; the oldest goes when there are too many."""
        documents = {each.document_id: DocumentOut(document_id=each.document_id, url=each.url, title=each.title)
                     for each in answer.citations}  # fmt: skip
        kept = _Kept(
            datetime.now(UTC), answer.outcome.value, release, tuple(documents.values()), answer.trace_id,
            answer.trace_url,
        )  # fmt: skip
        with self._lock:
            self._kept[answer.answer_id] = kept
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

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
