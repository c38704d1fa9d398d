"""The few shapes that our pictures are made of: HTML and Markdown carry the same few bytes, nothing renders them."""

from collections.abc import Sequence
from html import escape

# Colours that can be read on white and on black alike: an image cannot know the page that it stands on.
INK, LINE, POINT, THRESHOLD = "#808080", "#9a9a9a", "#4f6bed", "#d9480f"
FONT = "font-family='system-ui, sans-serif' font-size='12'"


def picture(width: float, height: float, parts: Sequence[str], title: str) -> str:
    """The whole picture."""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{escape(title, quote=True)}' "
        f"viewBox='0 0 {width:g} {height:g}' width='{width:g}' height='{height:g}'>{''.join(parts)}</svg>"
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dashed: bool = False) -> str:
    """A straight line."""
    dashes = " stroke-dasharray='3 2'" if dashed else ""
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
        f"stroke-width='{width:g}'{dashes}/>"
    )


def polyline(points: Sequence[tuple[float, float]], colour: str) -> str:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2' stroke-linejoin='round'/>"


def bar(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    """A filled rectangle that says what it is when pointed at."""
    return (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{colour}'>"
        f"<title>{escape(title)}</title></rect>"
    )


def circle(x: float, y: float, title: str, colour: str = POINT, radius: float = 3.5) -> str:
    """A point that says what it is when pointed at."""
    return (
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius:g}' fill='{colour}'>"
        f"<title>{escape(title, quote=True)}</title></circle>"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start") -> str:
    """Words at a place."""
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{INK}' {FONT}>{escape(words)}</text>"
