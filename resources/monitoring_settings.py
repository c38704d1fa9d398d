"""The section of `twin.yaml` about what rings an alarm."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from resources.alarm_rules import Rule as Rule
from resources.alarm_rules import with_shipped
from resources.notification_settings import Notify
from resources.section import Section

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,38}$")]


class Monitoring(Section):
    """What is watched: `rules` by name, over those that are shipped (docs/alarms.md).

    The first `reference_answers` of a release are what its later ones are held against. Each rule rings falsely for
    `false_alarms_per_week` of an author's weeks at most, where answers are independent of each other. What traces said
    of answers is kept for `retention_days`. An automatic action is taken for an author once in `cooldown_hours`; alarms
    that ask for it meanwhile are told of, and that is all.
    """

    reference_answers: int = Field(default=200, ge=20)
    false_alarms_per_week: float = Field(default=0.01, gt=0, le=1)
    retention_days: int = Field(default=90, ge=1)
    rules: dict[RuleName, Rule] = Field(default_factory=dict, validate_default=True)
    cooldown_hours: float = Field(default=24.0, ge=0, le=720)
    notify: Notify = Notify()

    @field_validator("rules", mode="before")
    @classmethod
    def _ship_rules(cls, rules: object) -> object:
        return with_shipped(rules) if isinstance(rules, Mapping) else rules

    @model_validator(mode="after")
    def _know_each_other(self) -> Self:
        for name, rule in self.rules.items():
            if unknown := set(rule.unless) - self.rules.keys():
                raise ValueError(f"rules.{name}.unless: there is no rule {', '.join(sorted(unknown))}")
        return self
