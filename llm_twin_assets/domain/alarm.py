"""An alarm: a rule that held for the answers of a release, and what came of it."""

from datetime import datetime
from enum import StrEnum

from llm_twin_assets.domain.release import Record


class Severity(StrEnum):
    """How soon somebody has to look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Action(StrEnum):
    """What mends it."""

    NOTIFY = "notify"
    ROLL_BACK = "roll_back"
    RETRAIN = "retrain"
    RECOLLECT = "recollect"
    PAUSE = "pause"


class State(StrEnum):
    """Open until somebody has seen it, or until it is over."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Alarm(Record):
    """What a rule found, held against its threshold, over so many answers of a release in a window.

    `by` and `note` are those of the last change of state; `acted` says, a line each, what was done about it.
    """

    alarm_id: str
    author: str
    rule: str
    metric: str
    release: str
    severity: Severity
    action: Action
    automatic: bool
    value: float
    threshold: float
    answers: int
    window_minutes: int
    reason: str
    state: State = State.OPEN
    opened_at: datetime
    changed_at: datetime
    by: str | None = None
    note: str | None = None
    acted: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing is left to be done."""
        return self.state is State.CLOSED
