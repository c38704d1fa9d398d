"""An alarm in words for people: what rang, why, what was done, what is left to do. None of them is from a question."""

from llm_twin_assets.domain.alarm import Alarm
from llm_twin_assets.monitoring.actions import acted, stamp, what_to_run
from resources.notice import Notice


def alarm_notice(alarm: Alarm) -> Notice:
    """What is sent when it has opened, and its automatic action, if it has one, is on its record."""
    facts = {
        "author": alarm.author,
        "release": alarm.release,
        "measured": f"{alarm.metric} {alarm.value:.4g}, limit {alarm.threshold:.4g}",
        "over": f"{alarm.answers} answers in {alarm.window_minutes} minutes",
        "opened": stamp(alarm.opened_at),
        "alarm": alarm.alarm_id,
    }
    return Notice(
        notice_id=f"alarm.{alarm.author}.{alarm.alarm_id}",
        severity=alarm.severity.value,
        title=f"{alarm.author}: {alarm.rule}",
        text="\n".join((f"{alarm.reason.rstrip('.')}.", *_steps(alarm))),
        facts=tuple(facts.items()),
    )


def _steps(alarm: Alarm) -> list[str]:
    done = acted(alarm, alarm.action)
    automatic = [f"{alarm.action.replace('_', ' ')}, automatically: {done}"] if done else []
    return [*automatic, f"To do: {what_to_run(alarm)}"]
