"""What a rule finds in one window of a release's answers: a figure, a limit, and whether chance could have made it."""

import math
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from llm_twin_assets.monitoring import significance
from llm_twin_assets.monitoring.columns import Answers, Floats, seconds_of
from llm_twin_assets.monitoring.drift import drift_chance, energy_distance, nearest_distances
from llm_twin_assets.monitoring.figures import MEASURES, Measure
from llm_twin_assets.monitoring.history import History
from resources.monitoring_settings import Monitoring, Rule

MINUTES_A_WEEK = 7 * 24 * 60
# A window is looked at four times in its length, but not more often than this.
_LEAST_STEP = 5
# The newest questions of a window that drift is measured on: distances grow with the square of it.
_VECTORS = 500
_CORPUS = Measure("median distance of questions to what was written", lambda answers: answers.relevance)


@dataclass(frozen=True, slots=True)
class Look:
    """What was found: `holds` is beyond the limit and beyond chance, `well` is back on the good side.

    Neither where `answers` are too few: then nothing is known, and whatever rings goes on ringing.
    """

    value: float
    limit: float
    answers: int
    holds: bool
    well: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """The end of what is looked at; what was asked before `closed` has been dealt with."""

    end: datetime
    closed: datetime | None = None


def step_minutes(rule: Rule) -> int:
    """How far apart looks are."""
    return max(_LEAST_STEP, rule.window_minutes // 4)


def level(rule: Rule, monitoring: Monitoring) -> float:
    """The probability of a false alarm that a single look may have, so that a week of them keeps to its share.

    Bonferroni's bound: it holds however much windows overlap.
    """
    return monitoring.false_alarms_per_week * step_minutes(rule) / MINUTES_A_WEEK


def looked(rule: Rule, monitoring: Monitoring, history: History, release: Answers, window: Window) -> Look:
    """Hold a window of a release's answers against a rule."""
    end = seconds_of(window.end)
    start = end - timedelta(minutes=rule.window_minutes).total_seconds()
    if window.closed is not None:
        start = max(start, seconds_of(window.closed))
    reference, seen = _samples(rule, history, release, start, end)
    if rule.metric == "drift":
        return _drifted(rule, monitoring, reference, seen)
    measure = MEASURES.get(rule.metric, _CORPUS)
    if rule.metric == "corpus_drift":
        values, known = (_distances(history, each) for each in (seen, reference))
    elif measure.rare and rule.change is not None and rule.against == "start":
        values, known = measure.values(release.between(start, end)), history.values_before(start, measure.values)
    else:
        values, known = measure.values(seen), measure.values(reference)
    if len(values) < rule.min_answers:
        return _unknown(measure, len(values))
    if rule.change is None:
        return _against_limit(rule, monitoring, measure, values)
    if len(known) < rule.min_answers:
        return _unknown(measure, len(values))
    return _against_reference(rule, monitoring, measure, values, known)


def missing_traces(rule: Rule, history: History, now: datetime) -> Look:
    """For how long Phoenix could not be asked. Where it never could, it is not in use."""
    limit = rule.above if rule.above is not None else math.inf
    minutes = (now - history.read_at).total_seconds() / 60 if history.read_at else 0.0
    reason = f"Phoenix could not be asked for {minutes:.0f} minutes: answers go unseen"
    return Look(minutes, limit, 0, minutes > limit, minutes <= limit, reason)


def _samples(rule: Rule, history: History, release: Answers, start: float, end: float) -> tuple[Answers, Answers]:
    """What is held against what.

    A release's first answers are held against those of the release before, and later ones against its first: so what
    was wrong from the start and what went wrong later are different alarms.
    """
    nothing = release.slice(0, 0)
    if rule.change is None and rule.metric != "drift":
        return nothing, release.between(start, end)
    if rule.change is not None and rule.against == "release_before":
        first = release.slice(0, min(len(release), history.reference_answers))
        return history.before(release) or nothing, first.between(start, end)
    reference = history.start_of(release)
    if not len(reference):
        return nothing, nothing
    return reference, release.between(max(start, float(reference.at[-1])), end)


def _unknown(measure: Measure, answers: int) -> Look:
    return Look(math.nan, math.nan, answers, holds=False, well=False, reason=f"{measure.label}: too few answers")


def _against_limit(rule: Rule, monitoring: Monitoring, measure: Measure, values: Floats) -> Look:
    upwards = rule.above is not None
    limit = float(rule.above if rule.above is not None else rule.below or 0.0)
    figure = measure.figure(values)
    beyond = figure > limit if upwards else figure < limit
    chance = _chance_of(measure, values, limit, upwards=upwards) if beyond else 1.0
    side = "more" if upwards else "less"
    reason = f"{measure.label} {measure.text(figure)} of {len(values)}, {side} than {measure.text(limit)}"
    return Look(figure, limit, len(values), chance <= level(rule, monitoring), not beyond, _with_chance(reason, chance))


def _chance_of(measure: Measure, values: Floats, limit: float, *, upwards: bool) -> float:
    """That a figure lies beyond the limit by chance alone: of a quantile, too many single values do (a sign test)."""
    if measure.share:
        hits, share = (values.sum(), limit) if upwards else (len(values) - values.sum(), 1 - limit)
    elif upwards:
        hits, share = (values > limit).sum(), 1 - measure.quantile
    else:
        hits, share = (values < limit).sum(), measure.quantile
    return significance.share_above(int(hits), len(values), share)


def _against_reference(rule: Rule, monitoring: Monitoring, measure: Measure, values: Floats, known: Floats) -> Look:
    change = rule.change or 0.0
    figure, before = measure.figure(values), measure.figure(known)
    # The way back: half of the change is still too much.
    limit, near = (_moved(measure, before, part * change) for part in (1.0, 0.5))
    upwards = change > 0
    beyond = figure >= limit if upwards else figure <= limit
    chance = _chance_grown(measure, values, known, upwards=upwards) if beyond else 1.0
    reason = (
        f"{measure.label} {measure.text(figure)} of {len(values)}, {measure.text(before)} of {len(known)} "
        f"{'before' if measure.rare and rule.against == 'start' else _REFERENCE[rule.against]}"
    )
    well = figure <= near if upwards else figure >= near
    return Look(figure, limit, len(values), chance <= level(rule, monitoring), well, _with_chance(reason, chance))


_REFERENCE = {"start": "at the release's start", "release_before": "of the release before"}


def _moved(measure: Measure, before: float, change: float) -> float:
    return before + change if measure.share else before * (1 + change)


def _chance_grown(measure: Measure, values: Floats, known: Floats, *, upwards: bool) -> float:
    if measure.share:
        now, then = (values, known) if upwards else (1 - values, 1 - known)
        return significance.share_grown(int(now.sum()), len(now), int(then.sum()), len(then))
    now, then = (values, known) if upwards else (-values, -known)
    if measure.quantile == 0.5:
        return significance.level_grown(now, then)
    return significance.tail_grown(now, then, measure.quantile if upwards else 1 - measure.quantile)


def _distances(history: History, answers: Answers) -> Floats:
    vectors = answers.vectors[-_VECTORS:]
    chunks = history.corpus(str(answers.snapshot[-1])) if len(vectors) else vectors
    return nearest_distances(vectors, chunks)


def _drifted(rule: Rule, monitoring: Monitoring, reference: Answers, seen: Answers) -> Look:
    now, then = seen.vectors[-_VECTORS:], reference.vectors[:_VECTORS]
    if min(len(now), len(then)) < max(2, rule.min_answers) or now.shape[1] != then.shape[1]:
        return Look(math.nan, math.nan, len(now), holds=False, well=False, reason="drift: too few questions")
    limit = rule.above if rule.above is not None else 0.0
    value = max(0.0, energy_distance(now, then))
    # A seed of the window's own: the same look finds the same, and no two share their luck.
    seed = zlib.crc32("".join(seen.trace_id[-3:]).encode())
    chance = drift_chance(now, then, level(rule, monitoring), seed) if value > limit else 1.0
    reason = f"the last {len(now)} questions are other than the first: energy distance {value:.3f}, over {limit:.3f}"
    return Look(value, limit, len(now), chance <= level(rule, monitoring), value <= limit, _with_chance(reason, chance))


def _with_chance(reason: str, chance: float) -> str:
    return f"{reason} (p = {chance:.1g})" if chance < 1 else reason
