"""The section of `twin.yaml` about what is kept of the past."""

from pydantic import Field

from resources.section import Section


class Upkeep(Section):
    """Which embedded snapshots outlive their successors, beside every one that a release names.

    The newest `snapshots` stay whatever their age, and each for at least so many `days`.
    """

    snapshots: int = Field(default=3, ge=1)
    days: float = Field(default=7.0, ge=1)
