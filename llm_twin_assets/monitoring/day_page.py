"""The page of a day: traffic, latency, quality, drift and feedback of one twin, in one file; no word of anybody's."""

import math
from collections.abc import Callable, Sequence

from llm_twin_assets.domain.html_page import headline, html_page, html_table, quiet, titled
from llm_twin_assets.domain.preview import markdown_table
from llm_twin_assets.evaluation.report.plots import as_image
from llm_twin_assets.monitoring.columns import Answers, Marks
from llm_twin_assets.monitoring.day import HOURS, Day
from llm_twin_assets.monitoring.day_plots import bars, lines
from llm_twin_assets.monitoring.figures import ANSWERED, MEASURES, NOTHING_FOUND

_LABELS = [f"{hour:02d}:00" for hour in range(HOURS)]
_HEADER = ("", "the day", "the week before")
_LATENCY = {"median": "latency_p50", "95th percentile": "latency_p95", "first token, median": "first_token_p50"}
_QUALITY = {
    "degraded": "degraded_share",
    "nothing found": "refused_share",
    "without citation": "uncited_share",
    "failed": "error_share",
}
# Of fewer an hour's share is all or nothing.
_FEW = 3
# So much distance is chance on a usual day: a scale that ends below it would make a mountain of it.
_SLIGHT = 0.1
_THUMBS = ("#d9480f", "#2f9e44")


def title(day: Day) -> str:
    """The day in a line."""
    rang = f", {_count(len(day.alarms), 'alarm')}" if day.alarms else ""
    return f"{day.author} on {day.day:%d %B %Y}: {_count(day.answers, 'answer')}{rang}"


def page(day: Day) -> str:
    """The whole page; the same for the same answers."""
    return html_page(
        title(day),
        [
            headline(title(day), good=not day.alarms),
            quiet(f"Times are UTC; hours of fewer than {_FEW} answers have no point in a line. {_serving(day)}"),
            *titled("Alarms that opened", _alarms(day)),
            *titled("Traffic", _or_nothing(traffic(day), "Nobody asked anything.")),
            *titled("Latency", _or_nothing(_measured(day, _LATENCY, "latency by the hour", " s"), "Nothing to time.")),
            *titled("Quality", _measured(day, _QUALITY, "shares of the answers by the hour", " %")),
            *titled("In figures", html_table(_HEADER, figure_rows(day))),
            *titled("Drift of the questions", _drift(day)),
            *titled("Feedback", _or_nothing(_feedback(day), "Nobody said whether an answer was good.")),
            *titled("Why answers were degraded", _causes(day)),
        ],
    )


def preview(day: Day) -> str:
    """What Dagster shows beside the asset, as Markdown."""
    return f"{as_image(traffic(day), 'answers by the hour')}\n\n{markdown_table(_HEADER, figure_rows(day))}"


def traffic(day: Day) -> str:
    """Answers by the hour and by how they ended, as a picture."""

    def counted(chosen: Callable[[Answers], Marks]) -> list[float | None]:
        return [float(chosen(hour).sum()) for hour in day.hours]

    outcomes = {
        "answered": counted(lambda hour: (hour.outcome == ANSWERED) & ~hour.failed),
        "quoted": counted(lambda hour: (hour.outcome == "quoted") & ~hour.failed),
        "nothing found": counted(lambda hour: (hour.outcome == NOTHING_FOUND) & ~hour.failed),
        "failed": counted(lambda hour: hour.failed),
    }
    return bars(outcomes, _LABELS, "answers by the hour")


def figure_rows(day: Day) -> list[tuple[str, str, str]]:
    """A row for each figure that the day or the week before it has."""
    rows = [("answers", str(day.answers), f"{day.week.answers / 7:.1f} a day")]
    for name, measure in MEASURES.items():
        here, before = day.figures.values[name], day.week.values[name]
        if not (math.isnan(here) and math.isnan(before)):
            rows.append((measure.label, _text(measure.text, here), _text(measure.text, before)))
    return rows


def _measured(day: Day, names: dict[str, str], said: str, unit: str) -> str:
    series = {}
    for label, name in names.items():
        measure = MEASURES[name]
        values = [measure.values(hour) for hour in day.hours]
        series[label] = [
            measure.figure(each) * (100 if measure.share else 1) if len(each) >= _FEW else None for each in values
        ]
    return lines(series, _LABELS, said, unit)


def _drift(day: Day) -> str:
    shown = bars(
        {"distance": [max(0.0, each.distance) if each.distance is not None else None for each in day.drift]},
        [f"{each.day:%d %b}" for each in day.drift],
        "energy distance of each day's questions from the release's first ones",
        least=_SLIGHT,
    )
    said = (
        "How far each day's questions lie from those that this release was asked first: energy distance of their "
        "vectors, 0 for alike."
    )
    today = day.drift[-1]
    if today.distance is None or today.chance is None:
        return shown + quiet(f"{said} Of this day there are too few to say.")
    verdict = "Chance alone does as much" if today.chance > 0.01 else "That is more than chance does"
    return shown + quiet(f"{said} This day: {today.distance:.3f}. {verdict} (p = {today.chance:.3g}).")


def _feedback(day: Day) -> str:
    def counted(value: float) -> Sequence[float | None]:
        return [float((hour.down == value).sum()) for hour in day.hours]

    return bars({"thumbs down": counted(1.0), "thumbs up": counted(0.0)}, _LABELS, "thumbs by the hour", _THUMBS)


def _alarms(day: Day) -> str:
    if not day.alarms:
        return ""
    rows = [(f"{each.opened_at:%H:%M}", each.severity.value, each.rule, each.reason) for each in day.alarms]
    return html_table(("at", "severity", "rule", "why"), rows)


def _causes(day: Day) -> str:
    ranked = sorted(day.figures.causes.items(), key=lambda each: (-each[1], each[0]))
    return (
        html_table(("cause", "answers"), [(cause or "unknown", str(count)) for cause, count in ranked])
        if ranked
        else ""
    )


def _serving(day: Day) -> str:
    return f"The release that answered last is {day.release}." if day.release else "No release has answered yet."


def _or_nothing(content: str, otherwise: str) -> str:
    return content or quiet(otherwise)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _text(text: Callable[[float], str], figure: float) -> str:
    return "–" if math.isnan(figure) else text(figure)
