"""Tables and plots as Markdown, for the places where a person looks: asset metadata and reports."""

import base64
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, width: int = 80) -> str:
    """A Markdown table; long cells are cut, line breaks and pipes made harmless."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(_cell(value, width) for value in row)} |" for row in rows]
    return "\n".join(lines)


def inline_png(figure: "Figure", alt: str) -> str:
    """A matplotlib figure as a Markdown image that carries its own bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return f"![{alt}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"


def new_figure(width: float = 6.4, height: float = 2.8) -> "Figure":
    """An empty figure that no window system and no global state knows of."""
    # Imported here: matplotlib takes longer to load than the code location may (DESIGN.md §2).
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _cell(value: object, width: int) -> str:
    text = "" if value is None else str(value)
    text = " ".join(text.split()).replace("|", "\\|")
    return text if len(text) <= width else f"{text[: width - 1]}…"
