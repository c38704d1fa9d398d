"""Which alarms open and which close: rules held against an author's answers. Pure, and the same however often asked."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from llm_twin_assets.domain.alarm import Action, Alarm, Severity
from llm_twin_assets.monitoring.alarm_records import closed
from llm_twin_assets.monitoring.columns import Answers, seconds_of
from llm_twin_assets.monitoring.history import History
from llm_twin_assets.monitoring.looks import Look, Window, looked, missing_traces, step_minutes
from resources.monitoring_settings import Monitoring, Rule

# Who closes what nobody closed.
RULE_ENGINE = "monitoring"


@dataclass(frozen=True, slots=True)
class Changes:
    """Alarms that are new, and alarms that are over."""

    opened: tuple[Alarm, ...] = ()
    closed: tuple[Alarm, ...] = ()


def evaluate(
    monitoring: Monitoring,
    history: History,
    now: datetime,
    alarms: Sequence[Alarm],
    since: datetime | None = None,
) -> Changes:
    """What changes at `now`, given all of the author's alarms; rules without a new look `since` then are left out.

    A look ends at a full multiple of its step since 1970, whoever looks and when: an alarm found twice is one.
    """
    opened: list[Alarm] = []
    over: list[Alarm] = []
    for name, rule in due(monitoring.rules, now, since):
        for change in _changes(name, rule, monitoring, history, now, [*opened, *alarms]):
            (over if change.over else opened).append(change)
    return Changes(tuple(opened), tuple(over))


def due(rules: Mapping[str, Rule], now: datetime, since: datetime | None) -> Iterator[tuple[str, Rule]]:
    """Rules that have a look between the two moments; all if there was none before."""
    for name, rule in rules.items():
        if rule.enabled and (since is None or _end(rule, now) > _end(rule, since)):
            yield name, rule


def _end(rule: Rule, now: datetime) -> datetime:
    """Where the newest window ends."""
    step = 60 * step_minutes(rule)
    return datetime.fromtimestamp(math.floor(now.timestamp() / step) * step, UTC)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A rule, a release whose answers it is held against, and the end of the newest window."""

    name: str
    rule: Rule
    release: str
    end: datetime

    @property
    def start(self) -> datetime:
        """Where the newest window begins."""
        return self.end - timedelta(minutes=self.rule.window_minutes)

    def of(self, alarms: Iterable[Alarm]) -> list[Alarm]:
        """Alarms that the rule has rung for the release."""
        return [each for each in alarms if (each.rule, each.release) == (self.name, self.release)]


def _changes(
    name: str, rule: Rule, monitoring: Monitoring, history: History, now: datetime, alarms: Sequence[Alarm]
) -> Iterator[Alarm]:
    end = _end(rule, now)
    if rule.metric == "traces_missing":
        yield from _decided(
            _Subject(name, rule, "", end), history, alarms, lambda at: missing_traces(rule, history, at)
        )
        return
    for release in history.releases:
        if release.at[0] <= seconds_of(end):
            subject = _Subject(name, rule, str(release.release[0]), end)
            # What somebody closed does not ring again for the answers that it rang for.
            past = max((each.changed_at for each in subject.of(alarms) if each.over), default=None)
            look = partial(_look, rule, monitoring, history, release, past)
            yield from _decided(subject, history, alarms, look)


def _look(
    rule: Rule, monitoring: Monitoring, history: History, release: Answers, past: datetime | None, at: datetime
) -> Look:
    return looked(rule, monitoring, history, release, Window(at, past))


def _decided(
    subject: _Subject, history: History, alarms: Sequence[Alarm], look: Callable[[datetime], Look]
) -> Iterator[Alarm]:
    step = timedelta(minutes=step_minutes(subject.rule))
    newest = look(subject.end)
    ringing = [each for each in subject.of(alarms) if not each.over]
    for alarm in ringing:
        # Once is not enough: a figure near its limit would open and close it by turns.
        is_well = newest.well and look(subject.end - step).well
        if reason := _succeeded(subject, history) or (f"over: {newest.reason}" if is_well else None):
            yield closed(alarm, RULE_ENGINE, reason, subject.end)
    if ringing or not newest.holds or _explained(subject, alarms):
        return
    looks_before = range(1, math.ceil(timedelta(minutes=subject.rule.for_minutes) / step) + 1)
    if all(look(subject.end - back * step).holds for back in looks_before):
        yield _alarm(subject, history.author, newest)


def _succeeded(subject: _Subject, history: History) -> str | None:
    """That another release answers, and this one no more: nothing can be found of it any longer."""
    answering = history.answering(subject.end)
    if not subject.release or answering is None or answering.release[-1] == subject.release:
        return None
    own = next(each for each in history.releases if each.release[0] == subject.release)
    still = len(own.between(seconds_of(subject.start), seconds_of(subject.end)))
    return None if still else f"{answering.release[-1]} answers now"


def _explained(subject: _Subject, alarms: Sequence[Alarm]) -> bool:
    """Whether a rule that says the same rang for some of the same answers."""
    return any(
        each.rule in subject.rule.unless
        and each.release == subject.release
        and (not each.over or each.changed_at >= subject.start)
        for each in alarms
    )


def _alarm(subject: _Subject, author: str, look: Look) -> Alarm:
    rule, at = subject.rule, subject.end
    return Alarm(
        alarm_id=f"{at:%Y%m%dT%H%M}-{subject.name}-{subject.release or author}",
        author=author,
        rule=subject.name,
        metric=rule.metric,
        release=subject.release,
        severity=Severity(rule.severity),
        action=Action(rule.action),
        automatic=rule.automatic,
        value=look.value,
        threshold=look.limit,
        answers=look.answers,
        window_minutes=rule.window_minutes,
        reason=look.reason,
        opened_at=at,
        changed_at=at,
    )
