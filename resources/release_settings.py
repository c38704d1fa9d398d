"""The section of `twin.yaml` about releases."""

from typing import Literal

from pydantic import Field

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
    more than the factor `slower`) more often than what serves beside it; then it is ended at once.
    """

    share: float = Field(default=0.1, gt=0, lt=1)
    minutes: float = Field(default=120, ge=0)
    min_answers: int = Field(default=50, ge=1)
    slower: float = Field(default=1.5, ge=1.1, le=10)


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
