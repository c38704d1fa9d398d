"""A week of traffic with planted faults, watched by the rules as they are shipped (benchmarks/week.py has 20 seeds)."""

from datetime import timedelta

import pytest

from llm_twin_assets_tests.benchmarks.week import FAULTS, Week, watched
from llm_twin_assets_tests.benchmarks.week_traffic import gaussian_subjects


@pytest.fixture(scope="module")
def week() -> Week:
    # A look every quarter of an hour, and not every five minutes: the one rule that looks so often does not mind.
    return watched(2, gaussian_subjects(2), tick=timedelta(minutes=15))


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.rule])
def test_each_planted_fault_rings_its_own_alarm_while_it_lasts(week: Week, fault: str) -> None:
    assert fault in week.heard


def test_nothing_else_rings(week: Week) -> None:
    assert [(alarm.alarm_id, alarm.reason) for alarm in week.false] == []


def test_an_alarm_is_over_when_its_fault_is(week: Week) -> None:
    assert [alarm.alarm_id for alarm in week.alarms if not alarm.over] == []
