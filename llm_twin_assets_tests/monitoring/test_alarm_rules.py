import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from llm_twin_assets.monitoring.figures import MEASURES
from resources.alarm_rules import SHIPPED, Rule
from resources.monitoring_settings import Monitoring

PAGE = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text()


def test_without_a_word_of_it_the_shipped_rules_hold():
    assert Monitoring().rules == SHIPPED
    assert Monitoring.model_validate({}).rules == SHIPPED


def test_what_is_said_of_a_shipped_rule_is_all_that_changes():
    rule = Monitoring.model_validate({"rules": {"slow": {"window_minutes": 240}}}).rules["slow"]
    assert rule == SHIPPED["slow"].model_copy(update={"window_minutes": 240})


def test_another_limit_takes_the_shipped_ones_place():
    rule = Monitoring.model_validate({"rules": {"slow": {"above": 5.0, "automatic": True}}}).rules["slow"]
    assert (rule.above, rule.change, rule.automatic, rule.metric) == (5.0, None, True, "latency_p50")


def test_a_rule_of_ones_own_stands_beside_the_shipped():
    rules = Monitoring.model_validate({"rules": {"long": {"metric": "completion_tokens", "above": 500}}}).rules
    assert rules["long"].above == 500
    assert len(rules) == len(SHIPPED) + 1


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"mine": {"metric": "relevance"}}, "one of above, below and change"),
        ({"slow": {"above": 1, "change": 2}}, "one of above, below and change"),
        ({"slow": {"change": 0}}, "a change of nothing"),
        ({"drift": {"change": 0.5}}, "drift takes above"),
        ({"corpus_drift": {"above": 0.5}}, "corpus_drift takes change"),
        ({"slow": {"unless": ["sloow"]}}, "there is no rule sloow"),
        ({"Bad name": {"metric": "relevance", "above": 1}}, "pattern"),
        ({"slow": {"metric": "speed"}}, "latency_p50"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(said: object, complaint: str):
    with pytest.raises(ValidationError, match=complaint):
        Monitoring.model_validate({"rules": said})


def test_every_shipped_rule_stands_after_those_that_explain_it():
    names = list(SHIPPED)
    assert all(names.index(other) < names.index(name) for name, rule in SHIPPED.items() for other in rule.unless)


def test_the_page_tells_of_every_rule_as_it_is():
    shipped = PAGE.partition("## The rules that are shipped")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", shipped, re.MULTILINE))
    assert {name: row(rule) for name, rule in SHIPPED.items()} == {name: told.get(name) for name in SHIPPED}


def row(rule: Rule) -> str:
    limit = next(
        f"{key} {value:g}" for key in ("above", "below", "change") if (value := getattr(rule, key)) is not None
    )
    if rule.against == "release_before":
        limit += ", against the release before"
    window = f"{rule.window_minutes} min, {rule.min_answers}"
    return f"`{rule.metric}` | {limit} | {window} | {rule.for_minutes} | {rule.severity} | {rule.action}"


def test_every_metric_of_a_rule_is_measured():
    metrics = set(Rule.model_fields["metric"].annotation.__args__)  # type: ignore[union-attr]
    assert metrics - MEASURES.keys() == {"drift", "corpus_drift", "traces_missing"}
