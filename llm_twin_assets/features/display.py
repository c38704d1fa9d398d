"""What the Dagster UI shows of documents and chunks: tables and a histogram, small enough for an event log."""

import base64
import io
from collections.abc import Iterable, Sequence

_ROWS = 8
_CELL = 60


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]], limit: int = _ROWS) -> str:
    """A Markdown table of the first rows; long cells are cut."""
    lines = [_line(header), _line(["---"] * len(header))]
    lines += [_line([_cell(value) for value in row]) for row, _ in zip(rows, range(limit), strict=False)]
    return "\n".join(lines)


def histogram(values: Sequence[int], label: str, limit: int | None = None) -> str:
    """A histogram as Markdown with the PNG inside; `limit` is drawn as a line."""
    if not values:
        return f"no {label}"
    # matplotlib takes half a second to import, and its figures, unlike pyplot's, need no display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4, 1.8), dpi=72, layout="constrained")
    axes = figure.add_subplot()
    axes.hist(values, bins=min(40, max(values) - min(values) + 1), color="#4F43DD")
    if limit is not None:
        axes.axvline(limit, color="#D9480F", linewidth=1)
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    target = io.BytesIO()
    figure.savefig(target, format="png")
    return f"![{label}](data:image/png;base64,{base64.b64encode(target.getvalue()).decode()})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    text = " ".join(str("" if value is None else value).split()).replace("|", "\\|").replace("`", "'")
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
