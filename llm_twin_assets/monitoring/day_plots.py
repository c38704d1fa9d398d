"""The pictures of a day: bars and lines by the hour, bars by the day."""

import math
from collections.abc import Iterator, Mapping, Sequence

from llm_twin_assets.domain.svg import LINE, bar, circle, line, picture, polyline, text

# One for each series, in this order; to be told apart on white, on black and by who sees no red.
COLOURS = ("#4f6bed", "#2f9e44", "#e8a33d", "#d9480f")
_WIDTH, _HEIGHT = 720, 170
_LEFT, _BOTTOM, _TOP, _RIGHT = 56, 40, 12, 8
_STEPS, _LABELLED = 4, 8

Series = Mapping[str, Sequence[float | None]]


def bars(
    series: Series, labels: Sequence[str], title: str, colours: Sequence[str] = COLOURS, least: float = 0.0
) -> str:
    """Bars that stand on each other, one for each label; nothing where all are empty. The scale shows `least`."""
    values = {name: [each or 0.0 for each in numbers] for name, numbers in series.items()}
    totals = [sum(numbers) for numbers in zip(*values.values(), strict=True)]
    if max(totals, default=0.0) <= 0:
        return ""
    most = _scale(max(*totals, least))
    step = (_WIDTH - _LEFT - _RIGHT) / len(labels)
    parts = list(_frame(most, labels))
    for at, label in enumerate(labels):
        top = 0.0
        for name, colour in zip(values, colours, strict=False):
            if value := values[name][at]:
                top += value
                height = value / most * _plot_height()
                said = f"{label}: {name} {_number(value)}"
                parts.append(bar(_LEFT + at * step + 1, _y(top, most), step - 2, height, colour, said))
    return picture(_WIDTH, _HEIGHT, [*parts, *_legend(list(values), colours)], title)


def lines(series: Series, labels: Sequence[str], title: str, unit: str = "") -> str:
    """A line for each series, with gaps where there is no value; nothing where there is none at all."""
    known = [value for numbers in series.values() for value in numbers if value is not None]
    if not known:
        return ""
    most = _scale(max(known))
    step = (_WIDTH - _LEFT - _RIGHT) / len(labels)
    parts = list(_frame(most, labels, unit))
    for (name, numbers), colour in zip(series.items(), COLOURS, strict=False):
        run: list[tuple[float, float]] = []
        for at, value in enumerate([*numbers, None]):
            if value is None:
                parts += [polyline(run, colour)] if len(run) > 1 else []
                run = []
                continue
            run.append((_LEFT + (at + 0.5) * step, _y(value, most)))
            parts.append(circle(*run[-1], f"{labels[at]}: {name} {_number(value)}{unit}", colour, 2.5))
    return picture(_WIDTH, _HEIGHT, [*parts, *_legend(list(series), COLOURS)], title)


def _frame(most: float, labels: Sequence[str], unit: str = "") -> Iterator[str]:
    for at in range(_STEPS + 1):
        value = most * at / _STEPS
        y = _y(value, most)
        yield line(_LEFT, y, _WIDTH - _RIGHT, y, LINE, dashed=at > 0)
        yield text(_LEFT - 6, y + 4, f"{_number(value)}{unit}", anchor="end")
    step = (_WIDTH - _LEFT - _RIGHT) / len(labels)
    every = math.ceil(len(labels) / _LABELLED)
    for at in range(0, len(labels), every):
        yield text(_LEFT + (at + 0.5) * step, _HEIGHT - _BOTTOM + 16, labels[at], anchor="middle")


def _legend(names: Sequence[str], colours: Sequence[str]) -> Iterator[str]:
    x = float(_LEFT)
    for name, colour in zip(names, colours, strict=False):
        yield circle(x + 4, _HEIGHT - 8, name, colour, 4)
        yield text(x + 13, _HEIGHT - 4, name)
        x += 34 + 6.5 * len(name)


def _scale(most: float) -> float:
    """The end of an axis whose steps are round numbers."""
    step = most / _STEPS or 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return _STEPS * power * next(each for each in (1.0, 2.0, 2.5, 5.0, 10.0) if each * power >= step * 0.999)


def _plot_height() -> float:
    return _HEIGHT - _BOTTOM - _TOP


def _y(value: float, most: float) -> float:
    return _HEIGHT - _BOTTOM - value / most * _plot_height()


def _number(value: float) -> str:
    return f"{value:.3g}"
