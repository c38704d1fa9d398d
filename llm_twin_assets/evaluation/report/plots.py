"""The report's pictures as SVG: HTML and Markdown carry the same few bytes, and nothing has to render them."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from llm_twin_assets.domain.release import Comparison
from llm_twin_assets.evaluation.comparison import gain_of

# Colours that can be read on white and on black alike: an image cannot know the page that it stands on.
_INK, _LINE, _POINT, _THRESHOLD = "#808080", "#9a9a9a", "#4f6bed", "#d9480f"
_FONT = "font-family='system-ui, sans-serif' font-size='12'"
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
        _line(middle, 0, middle, height - _ROW, _LINE),
        _text(middle, height - 8, "no difference", anchor="middle"),
        _text(_LABELS + 4, height - 8, "worse"),
        _text(_LABELS + _SCALE - 4, height - 8, "better", anchor="end"),
        *(part for number, each in enumerate(rows) for part in _gain(each, number * _ROW + _ROW / 2)),
    ]
    return _svg(_LABELS + _SCALE, height, parts, "gains by measure with their intervals")


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
        _line(_MARGIN, 0, _MARGIN, _SIDE, _LINE),
        _line(_MARGIN, _SIDE, full, _SIDE, _LINE),
        _line(_MARGIN, _SIDE, full, 0, _LINE),
        _text(full, full - 8, f"reference, {what}", anchor="end"),
        f"<text transform='translate(12 {_SIDE}) rotate(-90)' fill='{_INK}' {_FONT}>candidate, {escape(what)}</text>",
        *(_text(_MARGIN + at(tick), _SIDE + 16, f"{tick:.2f}", anchor="middle") for tick in _ticks(low, high)),
        *(_text(_MARGIN - 4, _SIDE - at(tick) + 4, f"{tick:.2f}", anchor="end") for tick in _ticks(low, high)),
        *(
            _circle(_MARGIN + at(each.reference), _SIDE - at(each.candidate), escape(each.title, quote=True))
            for each in points
        ),
    ]
    return _svg(full, full, parts, "candidate against reference, a point per document")


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
    yield _text(_LABELS - 8, y + 4, short, anchor="end")
    if asked is not None:
        yield _line(at(asked), y - 9, at(asked), y + 9, _THRESHOLD, dashed=True)
    yield _line(at(gain.low), y, at(gain.high), y, _POINT, width=2)
    yield _circle(at(gain.mean), y, escape(f"{label}: {comparison.difference.mean:+.4f}", quote=True))


def _ticks(low: float, high: float) -> list[float]:
    return [low + (high - low) * share for share in (0.1, 0.5, 0.9)]


def _svg(width: float, height: float, parts: Sequence[str], title: str) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{title}' viewBox='0 0 {width:g} {height:g}' "
        f"width='{width:g}' height='{height:g}'>{''.join(parts)}</svg>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dashed: bool = False) -> str:
    dashes = " stroke-dasharray='3 2'" if dashed else ""
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
        f"stroke-width='{width:g}'{dashes}/>"
    )


def _circle(x: float, y: float, escaped_title: str) -> str:
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{_POINT}'><title>{escaped_title}</title></circle>"


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{_INK}' {_FONT}>{escape(text)}</text>"
