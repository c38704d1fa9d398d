"""The section of `twin.yaml` about releases."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from resources.section import Section


class Retention(Section):
    """What is kept beside what serves: everything that the newest `releases` name, and so many `datasets`.

    Records are never dropped. For snapshots that no release names see `upkeep`.
    """

    releases: int = Field(default=20, ge=2)
    datasets: int = Field(default=5, ge=1)


class Trial(Section):
    """A canary release: an approved model answers `share` of the requests before it answers all.

    It is released once it has done so for `minutes` and given `min_answers`, unless it fails, degrades or is slow (by
    more than the factor `slower`) more often than what serves beside it; then it is ended at once. One that has not
    given so many answers after `max_days` is ended undecided: its approval is withdrawn, and nothing said against it.
    """

    share: float = Field(default=0.1, gt=0, lt=1)
    minutes: float = Field(default=120, ge=0)
    min_answers: int = Field(default=50, ge=1)
    slower: float = Field(default=1.5, ge=1.1, le=10)
    max_days: float = Field(default=14, gt=0)

    @model_validator(mode="after")
    def _may_take_as_long_as_it_must(self) -> Self:
        if timedelta(days=self.max_days) < timedelta(minutes=self.minutes):
            raise ValueError("max_days is at least as long as minutes")
        return self


class Releasing(Section):
    """Who says yes, and what happens before the switch.

    `manual` waits for a person; `automatic` approves whatever passes the gate, and is on record as such. `smoke` asks
    the service one question on the new release before it serves, for so many seconds at most. `service` is the bento
    tag or image that serves, for the record; left out, it is the bento that `twin bento` makes of code and settings.
    With `canary` an approved model is tried on a share of the requests first.
    """

    approval: Literal["manual", "automatic"] = "manual"
    smoke: bool = True
    smoke_seconds: float = Field(default=600, gt=0)
    service: str | None = None
    canary: Trial | None = None
    retention: Retention = Retention()
