"""Answers from their traces, each read once: in the order in which Phoenix got to know of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from llm_twin_assets.monitoring.answers import AnswerSeen
from llm_twin_assets.monitoring.traces import ROOT, spans_of

if TYPE_CHECKING:
    from phoenix.client.__generated__ import v1

EMBEDDING = "embed"
_VECTOR = "embedding.embeddings.0.embedding.vector"
# Traces whose embeddings are asked for at once: their ids are in the address, which servers bound at 8 kB.
_TRACES = 100
# A trace is read when its parts have had time to arrive: they are sent every half second, in batches.
_SETTLED = timedelta(seconds=15)
# How far a clock may seem wrong: what others' clocks and Phoenix's queue may make of a right one.
_AHEAD = timedelta(seconds=30)
_LATE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Read:
    """New answers, where reading goes on, and whether there is `more` to be read at once."""

    answers: tuple[AnswerSeen, ...]
    position: str | None
    more: bool


def read_answers(
    url: str, author: str, position: str | None, now: datetime, read_at: datetime | None, limit: int
) -> Read:
    """The answers that Phoenix got to know of after `position`, at most `limit`; raises `TracesUnavailableError`.

    Phoenix numbers spans as they come in, so that one that comes late is read late, and none is passed over. If the
    span at `position` is gone (another database, or its time is up), reading begins anew. `read_at` is when Phoenix was
    last read to its end: what is new ended after it, or the service's clock is wrong.
    """
    spans = _roots(url, author, position, limit)
    if position is not None:
        if spans and _position(spans[0]) == position:
            spans = spans[1:]
        else:
            position, read_at = None, None
            spans = _roots(url, author, None, limit)
    settled = list(takewhile(lambda span: not _is_young(span, now), spans))
    vectors = dict(_vectors(url, author, [span["context"]["trace_id"] for span in settled]))
    earliest = read_at - _LATE if read_at else None
    found = (_answer(span, vectors, earliest, now + _AHEAD) for span in settled)
    return Read(
        tuple(each for each in found if each is not None and each.author == author),
        _position(settled[-1]) if settled else position,
        more=len(settled) >= limit - 1,
    )


def _roots(url: str, author: str, position: str | None, limit: int) -> "list[v1.Span]":
    wanted = {"parent_id": "null", "name": ROOT, "sort": "id", "order": "asc"}
    here = {"cursor": position.partition("/")[0]} if position else {}
    return spans_of(url, author, {**wanted, **here}, limit)


def _position(span: "v1.Span") -> str:
    """A span's number in Phoenix, which pages begin at, and its trace: another database has the same numbers."""
    return f"{span.get('id')}/{span['context']['trace_id']}"


def _is_young(span: "v1.Span", now: datetime) -> bool:
    return timedelta(0) <= now - datetime.fromisoformat(span["end_time"]) < _SETTLED


def _vectors(url: str, author: str, traces: Sequence[str]) -> Iterator[tuple[str, tuple[float, ...]]]:
    for first in range(0, len(traces), _TRACES):
        wanted = traces[first : first + _TRACES]
        # A question may be embedded more than once, reworded: twice as many are more than there are.
        for span in spans_of(url, author, {"name": EMBEDDING, "trace_id": wanted, "order": "desc"}, 2 * _TRACES):
            vector = (span.get("attributes") or {}).get(_VECTOR)
            if isinstance(vector, list) and vector:
                yield span["context"]["trace_id"], tuple(map(float, vector))


def _answer(
    span: "v1.Span", vectors: Mapping[str, tuple[float, ...]], earliest: datetime | None, latest: datetime
) -> AnswerSeen | None:
    said = _Said(span.get("attributes") or {})
    release = said.text("release")
    if release is None:
        return None  # an evaluation's: it asked a model that was not released
    trace = span["context"]["trace_id"]
    started, ended = (datetime.fromisoformat(span[end]) for end in ("start_time", "end_time"))
    first_token = said.number("first_token_ms")
    return AnswerSeen(
        trace_id=trace,
        author=said.text("author") or "",
        release=release,
        snapshot=said.text("snapshot") or "",
        started_at=started,
        seconds=(ended - started).total_seconds(),
        first_token_seconds=None if first_token is None else first_token / 1000,
        prompt_tokens=int(said.number("prompt_tokens") or 0),
        completion_tokens=int(said.number("completion_tokens") or 0),
        outcome=said.text("outcome"),
        cause=said.text("cause"),
        degraded=said.mark("degraded"),
        failed=span.get("status_code") == "ERROR",
        cached=said.mark("cached"),
        citations=int(said.number("citations") or 0),
        relevance=said.number("relevance"),
        support=said.number("support"),
        personal_data=int(said.number("personal_data") or 0),
        canary=said.mark("canary"),
        question_digest=said.text("question_digest") or "",
        vector=vectors.get(trace),
        form=said.text("form") or "answer",
        clock_skew=clock_skew(ended, earliest, latest),
    )


def clock_skew(ended: datetime, earliest: datetime | None, latest: datetime) -> float:
    """By how many seconds a clock is ahead (behind, if negative) at least: 0.0 for what may be true."""
    if ended > latest:
        return (ended - latest).total_seconds()
    if earliest is not None and ended < earliest:
        return (ended - earliest).total_seconds()
    return 0.0


@dataclass(frozen=True, slots=True)
class _Said:
    """What a span's metadata says, which Phoenix gives key by key; anything of another kind counts for nothing."""

    attributes: Mapping[str, Any]

    def text(self, key: str) -> str | None:
        value = self.attributes.get(f"metadata.{key}")
        return value if isinstance(value, str) else None

    def number(self, key: str) -> float | None:
        value = self.attributes.get(f"metadata.{key}")
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def mark(self, key: str) -> bool:
        return self.attributes.get(f"metadata.{key}") is True
