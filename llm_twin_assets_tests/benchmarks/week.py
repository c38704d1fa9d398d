"""Which alarms a week with planted faults rings, and which rang for nothing: the rules as they are shipped, 20 seeds.

Time is made, not waited for. Each fault has an alarm of its own and hours to ring it in; every other one is false.

    python -m llm_twin_assets_tests.benchmarks.week [SEEDS] [--encoder] [--calm]
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from llm_twin_assets.domain.alarm import Alarm
from llm_twin_assets.monitoring.answer_traces import clock_skew
from llm_twin_assets.monitoring.answers import AnswerSeen
from llm_twin_assets.monitoring.columns import Answers, seconds_of
from llm_twin_assets.monitoring.history import History
from llm_twin_assets.monitoring.rules import evaluate
from llm_twin_assets_tests.benchmarks.measuring import Row
from llm_twin_assets_tests.benchmarks.week_traffic import (
    AUTHOR,
    DAYS,
    MONDAY,
    Change,
    Subjects,
    answers_of_a_week,
    gaussian_subjects,
)
from resources.monitoring_settings import Monitoring

# How often Phoenix is read.
_READING = timedelta(minutes=5)
_GRACE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, and the rule that is to say so (none: nothing may)."""

    change: Change
    rule: str | None

    @property
    def start(self) -> datetime:
        """When it begins."""
        return MONDAY + timedelta(hours=self.change.start)

    @property
    def end(self) -> datetime:
        """Until when its alarm may come."""
        return MONDAY + timedelta(hours=self.change.end) + _GRACE


def _fault(rule: str | None, day: int, start: float, end: float, **service: object) -> Fault:
    return Fault(Change(24 * day + start, 24 * day + end, MappingProxyType(service)), rule)


_WORSE: Mapping[str, object] = {"release": "maya-000002", "unsupported": 0.35, "support": 0.62, "disliked": 0.4}
FAULTS: Mapping[str, Fault] = {
    "latency step": _fault("slow", 1, 10, 16, slowness=2.2),
    "retrieval gone stale": _fault("stale_retrieval", 2, 9, 16, nearness=0.72),
    "a topic that the corpus lacks": _fault("unanswered_topic", 3, 9, 17, unknown_share=0.35),
    "a worse model released": _fault("worse_model_degraded", 4, 8, 14, **_WORSE),
    "a burst of thumbs down": _fault("thumbs_down", 5, 10, 18, rated=0.15, disliked=0.8),
    "a quiet night": _fault(None, 5, 21, 32, is_asked=False),
    "Phoenix down for an hour": _fault("traces_missing", 6, 11, 12, is_traced=False),
    "clock skew": _fault("clock_skew", 6, 14, 17, clock_ahead=timedelta(minutes=10)),
}
# The worse model is taken back, which makes a release of its own.
_AFTERWARDS = Change(24 * 4 + 14, 24 * DAYS, MappingProxyType({"release": "maya-000003"}))


@dataclass(frozen=True, slots=True)
class Week:
    """The alarms of a week, and which fault each was for, if for any."""

    alarms: tuple[Alarm, ...]
    faults: Mapping[str, Fault]

    @property
    def heard(self) -> set[str]:
        """The faults that rang their own alarm in time."""
        return {name for name, fault in self.faults.items() if any(_is_for(alarm, fault) for alarm in self.alarms)}

    @property
    def unheard(self) -> set[str]:
        """Those that should have and did not."""
        return {name for name, fault in self.faults.items() if fault.rule} - self.heard

    @property
    def false(self) -> list[Alarm]:
        """Alarms that are no fault's."""
        return [each for each in self.alarms if not any(_is_for(each, fault) for fault in self.faults.values())]


def _is_for(alarm: Alarm, fault: Fault) -> bool:
    return alarm.rule == fault.rule and fault.start <= alarm.opened_at <= fault.end


def watched(
    seed: int, subjects: Subjects, faults: Mapping[str, Fault] = FAULTS, tick: timedelta = _READING, days: int = DAYS
) -> Week:
    """A week as the sensor sees it, a look each `tick`."""
    changes = [fault.change for fault in faults.values()]
    released = any("release" in fault.change.service for fault in faults.values())
    outages = [fault for fault in faults.values() if fault.change.service.get("is_traced") is False]
    seen = answers_of_a_week(seed, subjects, [_AFTERWARDS, *changes] if released else changes)
    answers = Answers.of(_read(each, faults.values()) for each in seen)
    monitoring = Monitoring()
    alarms: dict[str, Alarm] = {}
    now, looked_at, read_at = MONDAY, None, None
    while now < MONDAY + timedelta(days=days):
        now += tick
        if not any(fault.start <= now < fault.end - _GRACE for fault in outages):
            read_at = now
        known = answers.until(seconds_of(read_at or MONDAY))
        history = History.of(AUTHOR, known, monitoring.reference_answers, read_at, lambda _: subjects.written)
        found = evaluate(monitoring, history, now, list(alarms.values()), looked_at)
        alarms |= {each.alarm_id: each for each in (*found.opened, *found.closed)}
        looked_at = now
    return Week(tuple(alarms.values()), faults)


def _read(answer: AnswerSeen, faults: Iterable[Fault]) -> AnswerSeen:
    """As it is read from its trace, by a clock that is right."""
    for fault in faults:
        ahead = fault.change.service.get("clock_ahead")
        if isinstance(ahead, timedelta) and fault.start <= (asked := answer.started_at - ahead) < fault.end - _GRACE:
            ended = asked + timedelta(seconds=answer.seconds)
            read_at = ended + _READING - (ended - MONDAY) % _READING
            return replace(answer, clock_skew=clock_skew(ended + ahead, read_at - 2 * _READING, read_at))
    return answer


def encoded_subjects() -> Subjects:
    """Real questions on real subjects, by the encoder that is shipped."""
    from llm_twin_assets_tests.benchmarks.week_questions import QUESTIONS, UNKNOWN, WRITTEN
    from resources.embedder import Embedder
    from resources.settings import Embedding

    embedder = Embedder(Embedding().model)
    return Subjects(tuple(map(embedder.encode, QUESTIONS)), embedder.encode(UNKNOWN), embedder.encode(WRITTEN))


def told(weeks: Sequence[Week]) -> list[str]:
    """Lines on what rang for what."""
    lines = [
        f"{sum(name in week.heard for week in weeks)} of {len(weeks)} heard: {name}"
        for name, fault in weeks[0].faults.items()
        if fault.rule
    ]
    false = Counter(alarm.rule for week in weeks for alarm in week.false)
    lines.append(f"false: {sum(false.values())} in {len(weeks)} weeks {dict(false)}")
    return [
        *lines,
        *(f"  {each.opened_at:%a %H:%M} {each.alarm_id}: {each.reason}" for week in weeks for each in week.false),
    ]


def measure(seeds: int = 20) -> list[Row]:
    """The table's rows: faults heard, and false alarms a week."""
    weeks = [watched(seed, gaussian_subjects(seed)) for seed in range(seeds)]
    unheard = sum(len(week.unheard) for week in weeks)
    worst = max(len(week.false) for week in weeks)
    return [
        Row("planted faults that rang no alarm of their own", f"{unheard} of {7 * seeds}", "0", unheard == 0),
        Row(f"false alarms in a week, most of {seeds} seeds", str(worst), "<= 1", worst <= 1),
    ]


def main(arguments: Sequence[str]) -> None:
    """Print what rang, seed by seed as it ends."""
    seeds = int(next((each for each in arguments if each.isdecimal()), "20"))
    faults = {} if "--calm" in arguments else FAULTS
    encoded = encoded_subjects() if "--encoder" in arguments else None
    weeks = []
    for seed in range(seeds):
        weeks.append(watched(seed, encoded or gaussian_subjects(seed), faults))
        print(f"{seed}: unheard {sorted(weeks[-1].unheard)}, false {len(weeks[-1].false)}", flush=True)  # noqa: T201
    print("\n".join(told(weeks)))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
