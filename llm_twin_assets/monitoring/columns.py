"""Answers column by column, so that a window of them is a slice: a sensor looks at them every minute."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from llm_twin_assets.monitoring.answers import AnswerSeen, Thumb, answers_table

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]
Vectors = NDArray[np.float32]
Column: TypeAlias = NDArray[Any]

_THUMBS = {"up": 0.0, "down": 1.0}


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers in the order of time, an array a property; NaN where an answer has none.

    `at` is in seconds since 1970. `down` is 1.0 for a thumb down and 0.0 for one up. `vectors` are of the questions at
    `embedded`, shape (those, dimension).
    """

    at: Floats
    trace_id: NDArray[np.str_]
    release: NDArray[np.str_]
    snapshot: NDArray[np.str_]
    form: NDArray[np.str_]
    outcome: NDArray[np.str_]
    cause: NDArray[np.str_]
    question: NDArray[np.str_]
    seconds: Floats
    first_token: Floats
    prompt_tokens: Floats
    completion_tokens: Floats
    citations: Floats
    relevance: Floats
    support: Floats
    personal_data: Floats
    clock_skew: Floats
    down: Floats
    failed: Marks
    degraded: Marks
    cached: Marks
    canary: Marks
    embedded: NDArray[np.int64]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, seen: Iterable[AnswerSeen]) -> "Answers":
        """Answers as columns, thumbs included."""
        rows = list(seen)
        return cls.of_table(answers_table(rows), {each.trace_id: each.thumb for each in rows if each.thumb})

    @classmethod
    def of_table(cls, table: pa.Table, thumbs: Mapping[str, Thumb]) -> "Answers":
        """Rows of the table `answers`, with or without their vectors, as columns."""
        columns = _columns(table)
        at = columns["started_at"] - columns["clock_skew"]
        order = np.argsort(at, kind="stable")
        traces = columns["trace_id"]
        embedded, vectors = _vectors(table, order)
        return cls(
            at=at[order],
            down=np.array([_THUMBS.get(thumbs.get(trace, ""), np.nan) for trace in traces], np.float64)[order],
            question=columns["question_digest"][order],
            first_token=columns["first_token_seconds"][order],
            embedded=embedded,
            vectors=vectors,
            **{name: columns[name][order] for name in _SAME},
        )

    def between(self, start: float, end: float) -> "Answers":
        """Those asked after `start` and until `end`, in seconds since 1970."""
        first, last = np.searchsorted(self.at, (start, end), side="right")
        return self.slice(int(first), int(last))

    def until(self, end: float) -> "Answers":
        """Those asked until `end`."""
        return self.slice(0, int(np.searchsorted(self.at, end, side="right")))

    def slice(self, first: int, last: int) -> "Answers":
        """Those from one place to before another."""
        start, end = np.searchsorted(self.embedded, (first, last))
        vectors: dict[str, Column] = {"embedded": self.embedded[start:end] - first, "vectors": self.vectors[start:end]}
        return self._with(lambda column: column[first:last], vectors)

    def where(self, kept: Marks) -> "Answers":
        """Those that are marked."""
        place = np.cumsum(kept) - 1
        still = kept[self.embedded]
        vectors: dict[str, Column] = {"embedded": place[self.embedded[still]], "vectors": self.vectors[still]}
        return self._with(lambda column: column[kept], vectors)

    def _with(self, chosen: Callable[[Column], Column], vectors: Mapping[str, Column]) -> "Answers":
        others = (each.name for each in fields(self) if each.name not in vectors)
        return Answers(**{name: chosen(getattr(self, name)) for name in others}, **vectors)


# Columns that are called as in the table.
_SAME = (
    "trace_id", "release", "snapshot", "form", "outcome", "cause", "seconds", "prompt_tokens", "completion_tokens",
    "citations", "relevance", "support", "personal_data", "clock_skew", "failed", "degraded", "cached", "canary",
)  # fmt: skip


def seconds_of(instant: datetime) -> float:
    """Seconds since 1970."""
    return instant.timestamp()


def _columns(table: pa.Table) -> dict[str, Column]:
    return {name: _column(table[name]) for name in table.column_names if name != "vector"}


def _column(column: pa.ChunkedArray) -> Column:
    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.int64()).to_numpy(), np.float64) / 1e6
    if pa.types.is_boolean(column.type):
        return np.asarray(column.to_numpy(), np.bool_)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return np.asarray(column.fill_null("").to_numpy(), np.str_)
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _vectors(table: pa.Table, order: NDArray[np.int64]) -> tuple[NDArray[np.int64], Vectors]:
    """Which of the answers, in the order of time, have a vector, and these: of one length, that of the newest."""
    if "vector" not in table.column_names or not table.num_rows:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    column = table["vector"].combine_chunks().take(pa.array(order))
    lengths = pc.list_value_length(column).fill_null(0).to_numpy()
    length = lengths[np.flatnonzero(lengths)[-1]] if lengths.any() else 0
    embedded = np.flatnonzero((lengths == length) & (lengths > 0))
    numbers = column.take(pa.array(embedded)).flatten().to_numpy(zero_copy_only=False)
    return embedded, numbers.astype(np.float32).reshape(len(embedded), int(length))
