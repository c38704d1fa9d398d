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


class Releasing(Section):
    """Who says yes, and what happens before the switch.

    `manual` waits for a person; `automatic` approves whatever passes the gate, and is on record as such. `smoke` asks
    the service one question on the new release before it serves, for so many seconds at most. `service` is the bento
    tag or image that serves, for the record; left out, it is the bento that `twin bento` makes of code and settings.
    """

    approval: Literal["manual", "automatic"] = "manual"
    smoke: bool = True
    smoke_seconds: float = Field(default=600, gt=0)
    service: str | None = None
    retention: Retention = Retention()
