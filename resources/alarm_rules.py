"""The section of `twin.yaml` about one rule that rings an alarm, and the rules that are shipped."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from resources.section import Section

Metric = Literal[
    "error_share",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "first_token_p50",
    "first_token_p95",
    "prompt_tokens",
    "completion_tokens",
    "uncited_share",
    "degraded_share",
    "refused_share",
    "negative_share",
    "personal_data_share",
    "relevance",
    "support",
    "unanswered_repeats",
    "drift",
    "corpus_drift",
    "clock_skew",
    "traces_missing",
]
LIMITS = ("above", "below", "change")


class Rule(Section):
    """When something rings, and what mends it. A rule that is shipped keeps what is not said of it here.

    `metric` is taken over the answers of the last `window_minutes`, over `min_answers` at least. One of `above`,
    `below` and `change`: the last is the difference to what the release's first answers were (`against: start`), or of
    the release's first answers to the last of the release before (`against: release_before`); of a share in points
    (0.1: ten in a hundred more), of anything else relative (0.5: half as much more, -0.2: a fifth less). It has to hold
    for `for_minutes`, beyond chance. Where a rule of `unless` rings for the same answers, this one keeps still: it
    would say the same. With `automatic` the action is taken, else shown.
    """

    metric: Metric
    window_minutes: int = Field(default=60, ge=5, le=10_080)
    min_answers: int = Field(default=20, ge=1)
    above: float | None = None
    below: float | None = None
    change: float | None = None
    against: Literal["start", "release_before"] = "start"
    for_minutes: int = Field(default=0, ge=0, le=1440)
    severity: Literal["info", "warning", "critical"] = "warning"
    action: Literal["notify", "roll_back", "retrain", "recollect", "pause"] = "notify"
    automatic: bool = False
    unless: tuple[str, ...] = ()
    enabled: bool = True

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if sum(getattr(self, limit) is not None for limit in LIMITS) != 1:
            raise ValueError("a rule has one of above, below and change")
        if self.change == 0:
            raise ValueError("a change of nothing is none")
        if self.metric in ("drift", "traces_missing") and self.above is None:
            raise ValueError(f"{self.metric} takes above")
        if self.metric == "corpus_drift" and self.change is None:
            raise ValueError("corpus_drift takes change: questions are never as near as passages are to each other")
        return self


# A rule stands after those that explain it.
SHIPPED: Mapping[str, Rule] = {
    "traces_missing": Rule(metric="traces_missing", window_minutes=5, above=15),
    "clock_skew": Rule(metric="clock_skew", above=120),
    "errors": Rule(metric="error_share", above=0.05, severity="critical", action="roll_back"),
    "slow": Rule(metric="latency_p50", window_minutes=120, min_answers=30, change=0.5),
    "slow_tail": Rule(metric="latency_p95", window_minutes=240, min_answers=60, change=1.0, unless=("slow",)),
    "late_first_token": Rule(
        metric="first_token_p50",
        window_minutes=120,
        min_answers=30,
        change=0.5,
        # First tokens vary less than whole answers, so this is sure sooner: `slow` has its turn first.
        for_minutes=60,
        unless=("slow",),
    ),
    "worse_model_degraded": Rule(
        metric="degraded_share",
        window_minutes=720,
        min_answers=40,
        change=0.15,
        against="release_before",
        severity="critical",
        action="roll_back",
    ),
    "worse_model_support": Rule(
        metric="support",
        window_minutes=720,
        min_answers=40,
        change=-0.15,
        against="release_before",
        severity="critical",
        action="roll_back",
        unless=("worse_model_degraded",),
    ),
    "worse_model_feedback": Rule(
        metric="negative_share",
        window_minutes=1440,
        min_answers=10,
        change=0.2,
        against="release_before",
        severity="critical",
        action="roll_back",
        unless=("worse_model_degraded", "worse_model_support"),
    ),
    "slower_model": Rule(
        metric="latency_p50", window_minutes=720, min_answers=40, change=0.5, against="release_before", unless=("slow",)
    ),
    "stale_retrieval": Rule(
        metric="relevance", window_minutes=240, min_answers=40, change=-0.15, action="recollect"
    ),
    "unanswered_topic": Rule(
        metric="refused_share",
        window_minutes=240,
        min_answers=40,
        change=0.1,
        for_minutes=60,
        action="recollect",
        unless=("stale_retrieval",),
    ),
    "asked_again": Rule(
        metric="unanswered_repeats",
        window_minutes=1440,
        min_answers=100,
        above=0.15,
        severity="info",
        unless=("unanswered_topic", "stale_retrieval", "worse_model_degraded"),
    ),
    "degraded": Rule(
        metric="degraded_share", window_minutes=120, min_answers=30, change=0.2, unless=("errors", "stale_retrieval")
    ),
    "uncited": Rule(metric="uncited_share", window_minutes=240, min_answers=40, change=0.2),
    "thumbs_down": Rule(
        metric="negative_share",
        window_minutes=360,
        min_answers=8,
        change=0.25,
        unless=("worse_model_degraded", "worse_model_support", "worse_model_feedback"),
    ),
    "personal_data": Rule(metric="personal_data_share", window_minutes=1440, min_answers=50, above=0.05),
    "drift": Rule(
        metric="drift",
        window_minutes=1440,
        min_answers=100,
        above=0.002,
        for_minutes=360,
        severity="info",
        unless=("unanswered_topic",),
    ),
    "corpus_drift": Rule(
        metric="corpus_drift",
        window_minutes=1440,
        min_answers=100,
        change=0.1,
        for_minutes=360,
        severity="info",
        action="recollect",
        unless=("unanswered_topic", "drift"),
    ),
}  # fmt: skip


def with_shipped(given: Mapping[str, object]) -> dict[str, object]:
    """The shipped rules with what is said of them, and new ones; another limit replaces the shipped one."""
    rules: dict[str, object] = dict(SHIPPED)
    for name, said in given.items():
        shipped = SHIPPED.get(name)
        if shipped is None or not isinstance(said, Mapping):
            rules[name] = said
            continue
        kept = shipped.model_dump(exclude_unset=True)
        if any(limit in said for limit in LIMITS):
            kept = {key: value for key, value in kept.items() if key not in LIMITS}
        rules[name] = {**kept, **said}
    return rules
