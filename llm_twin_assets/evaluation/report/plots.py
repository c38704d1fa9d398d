"""The report's pictures as SVG: HTML and Markdown carry the same few bytes, and nothing has to render them."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from llm_twin_assets.domain.release import Comparison
from llm_twin_assets.domain.svg import FONT, INK, LINE, POINT, THRESHOLD, circle, line, picture, text
from llm_twin_assets.evaluation.comparison import gain_of

_ROW, _LABELS, _SCALE = 26, 360, 340
_SIDE, _MARGIN = 320, 44
_LONGEST_LABEL = 46


@dataclass(frozen=True, slots=True)
class Point:
    """A document in the plane of reference and candidate."""

    title: str
    reference: float
    candidate: float


def gains(comparisons: Sequence[Comparison]) -> str:
    """Every difference as a gain with its interval, and what the gate asks for; each row on a scale of its own."""
    rows = [each for each in comparisons if each.difference is not None]
    if not rows:
        return ""
    height = _ROW * (len(rows) + 1)
    middle = _LABELS + _SCALE / 2
    parts = [
        line(middle, 0, middle, height - _ROW, LINE),
        text(middle, height - 8, "no difference", anchor="middle"),
        text(_LABELS + 4, height - 8, "worse"),
        text(_LABELS + _SCALE - 4, height - 8, "better", anchor="end"),
        *(part for number, each in enumerate(rows) for part in _gain(each, number * _ROW + _ROW / 2)),
    ]
    return picture(_LABELS + _SCALE, height, parts, "gains by measure with their intervals")


def scatter(points: Sequence[Point], what: str) -> str:
    """Candidate over reference, a point per document, and the line on which both are equal."""
    values = [value for point in points for value in (point.reference, point.candidate)]
    if not values:
        return ""
    low, high = min(values), max(values)
    spare = (high - low) * 0.06 or 1.0
    low, high = low - spare, high + spare

    def at(value: float) -> float:
        return (value - low) / (high - low) * _SIDE

    full = _SIDE + _MARGIN
    parts = [
        line(_MARGIN, 0, _MARGIN, _SIDE, LINE),
        line(_MARGIN, _SIDE, full, _SIDE, LINE),
        line(_MARGIN, _SIDE, full, 0, LINE),
        text(full, full - 8, f"reference, {what}", anchor="end"),
        f"<text transform='translate(12 {_SIDE}) rotate(-90)' fill='{INK}' {FONT}>candidate, {escape(what)}</text>",
        *(text(_MARGIN + at(tick), _SIDE + 16, f"{tick:.2f}", anchor="middle") for tick in _ticks(low, high)),
        *(text(_MARGIN - 4, _SIDE - at(tick) + 4, f"{tick:.2f}", anchor="end") for tick in _ticks(low, high)),
        *(circle(_MARGIN + at(each.reference), _SIDE - at(each.candidate), each.title) for each in points),
    ]
    return picture(full, full, parts, "candidate against reference, a point per document")


def as_image(svg: str, alt: str) -> str:
    """An SVG as a Markdown image that carries its own bytes; nothing for nothing."""
    return f"![{alt}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})" if svg else ""


def _gain(comparison: Comparison, y: float) -> Iterator[str]:
    if comparison.difference is None:
        return
    gain = gain_of(comparison, comparison.difference)
    asked = comparison.threshold if comparison.kind != "hard_limit" else None
    reach = max(abs(gain.low), abs(gain.high), abs(asked or 0.0)) * 1.15 or 1.0

    def at(value: float) -> float:
        return _LABELS + _SCALE / 2 * (1 + value / reach)

    label = comparison.label
    short = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
    yield text(_LABELS - 8, y + 4, short, anchor="end")
    if asked is not None:
        yield line(at(asked), y - 9, at(asked), y + 9, THRESHOLD, dashed=True)
    yield line(at(gain.low), y, at(gain.high), y, POINT, width=2)
    yield circle(at(gain.mean), y, f"{label}: {comparison.difference.mean:+.4f}")


def _ticks(low: float, high: float) -> list[float]:
    return [low + (high - low) * share for share in (0.1, 0.5, 0.9)]
