"""Answers as Phoenix has their traces: the release that gave each, and the documents that it was given to draw on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_twin_assets.lineage.records import AnswerRead
from llm_twin_assets.monitoring.feedback_traces import documents_of
from llm_twin_assets.monitoring.traces import RETRIEVAL, ROOT, spans_of

if TYPE_CHECKING:
    from phoenix.client.__generated__ import v1

# Spans of the newest answers, two each: Phoenix gives a page of 100 at a time.
_NEWEST = 1000


@dataclass(frozen=True, slots=True)
class AnswersRead:
    """The newest answers; `more` if there may be older ones."""

    answers: tuple[AnswerRead, ...]
    more: bool


def answer_of(url: str, author: str, trace_id: str) -> AnswerRead | None:
    """The answer of a trace, if the author's twin gave it; raises `TracesUnavailableError`."""
    found = _answers(spans_of(url, author, {"trace_id": [trace_id]}, _NEWEST))
    return found[0] if found else None


def answers_of(url: str, author: str) -> AnswersRead:
    """The author's newest answers; raises `TracesUnavailableError`."""
    spans = spans_of(url, author, {"name": [ROOT, RETRIEVAL]}, _NEWEST)
    return AnswersRead(tuple(_answers(spans)), more=len(spans) == _NEWEST)


def _answers(spans: "Iterable[v1.Span]") -> list[AnswerRead]:
    traces: dict[str, dict[str, v1.Span]] = defaultdict(dict)
    for span in spans:
        traces[span["context"]["trace_id"]][span["name"]] = span
    found = (_answer(trace, named) for trace, named in traces.items() if ROOT in named)
    return [each for each in found if each is not None]


def _answer(trace_id: str, spans: "Mapping[str, v1.Span]") -> AnswerRead | None:
    said = _attributes(spans[ROOT])
    if (release := said.get("metadata.release")) is None:
        return None  # an evaluation's: it asked a model that was not released
    retrieved = _attributes(spans[RETRIEVAL]) if RETRIEVAL in spans else {}
    documents = dict.fromkeys(documents_of(retrieved))
    details = {
        "question": said.get("input.value"),
        "asked_at": spans[ROOT]["start_time"],
        "outcome": said.get("metadata.outcome"),
        "degraded": said.get("metadata.degraded"),
    }
    return AnswerRead(trace_id, str(release), tuple(documents), details)


def _attributes(span: "v1.Span") -> Mapping[str, Any]:
    return span.get("attributes") or {}
