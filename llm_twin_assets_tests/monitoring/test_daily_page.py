"""The page of a day: what it counts, what it draws, and when Dagster makes it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import dagster as dg
import numpy as np
import pytest

from llm_twin_assets.definitions import UP_TO_EVALUATION
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, Feedback, feedback_table
from llm_twin_assets.monitoring.alarm_records import put_new
from llm_twin_assets.monitoring.answers import AnswerSeen
from llm_twin_assets.monitoring.columns import Answers
from llm_twin_assets.monitoring.daily import DAILY, daily, daily_pages, page_path
from llm_twin_assets.monitoring.day import Day, day_of
from llm_twin_assets.monitoring.day_page import page, traffic
from llm_twin_assets.monitoring.day_plots import bars, lines
from llm_twin_assets.monitoring.feedback_assets import feedback
from llm_twin_assets.monitoring.stored_answers import record
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets_tests.monitoring.test_pipeline_metrics import State, alarm
from resources.object_store import ObjectStore
from resources.settings import Author, Settings, Source
from resources.warehouse import Warehouse

DAY = date(2026, 11, 12)
START = datetime(2026, 11, 5, tzinfo=UTC)


def at(day: int, hour: float) -> datetime:
    """So many days after the first answer."""
    return START + timedelta(days=day, hours=hour)


def seen(day: int, hour: float, *, shift: float = 0.0, **other: object) -> AnswerSeen:
    vector = np.random.default_rng([day, int(hour * 100)]).normal(size=8) + np.array([4.0 + shift] + [0.0] * 7)
    told = {"outcome": "answered", "citations": 1, "seconds": 2.0, "support": 0.8, "prompt_tokens": 100, **other}
    return AnswerSeen(
        trace_id=f"{day}-{hour}", author="maya", release="maya-000001", snapshot="s", started_at=at(day, hour),
        vector=tuple(vector), **told,  # type: ignore[arg-type]
    )  # fmt: skip


def week() -> list[AnswerSeen]:
    """Seven days of thirty answers each."""
    return [seen(day, 8 + number / 4) for day in range(7) for number in range(30)]


def counted(*today: AnswerSeen) -> Day:
    return day_of("maya", DAY, Answers.of([*week(), *today]), [alarm(1, State.OPEN, at(7, 9))], reference_answers=30)


def test_a_day_is_counted_by_the_hour_and_beside_the_week_before_it() -> None:
    found = counted(seen(7, 0.0), seen(7, 9.1), seen(7, 9.2, seconds=6.0), seen(7, 23.9), seen(8, 0.0))
    assert [len(hour) for hour in found.hours] == [1, *[0] * 8, 2, *[0] * 13, 1]
    assert (found.answers, found.week.answers) == (4, 210)
    assert found.figures.values["latency_p50"] == found.week.values["latency_p50"] == 2.0
    assert found.figures.values["latency_p99"] > 5
    assert [each.alarm_id for each in found.alarms] == ["alarm-1"]


def test_questions_on_something_else_are_seen_as_drift_and_the_usual_ones_are_not() -> None:
    usual = counted(*(seen(7, 8 + number / 4) for number in range(30))).drift
    other = counted(*(seen(7, 8 + number / 4, shift=-8.0) for number in range(30))).drift
    assert [each.day for each in usual] == [DAY - timedelta(days=back) for back in reversed(range(14))]
    # Before the first answer there is nothing to compare.
    assert [each.distance is None for each in usual] == [True] * 6 + [False] * 8
    assert usual[-1].distance is not None
    assert usual[-1].chance is not None
    assert other[-1].distance is not None
    assert other[-1].chance is not None
    assert usual[-1].distance < 0.1 < other[-1].distance
    assert other[-1].chance <= 0.01 < usual[-1].chance


def test_a_day_with_too_few_questions_has_no_drift() -> None:
    assert counted(seen(7, 9)).drift[-1].distance is None


def test_the_page_shows_everything_and_needs_nothing_from_elsewhere() -> None:
    quoted = {"outcome": "quoted", "degraded": True, "cause": "engine_failed"}
    found = counted(
        seen(7, 9.0), seen(7, 9.1, thumb="down"), seen(7, 9.2, thumb="up"), seen(7, 9.3, **quoted),
        seen(7, 9.4, outcome="nothing_found", citations=0), seen(7, 9.5, failed=True, outcome=None),
    )  # fmt: skip
    drawn = page(found)
    for said in (
        "maya on 12 November 2026: 6 answers, 1 alarm", "it is slow", "<title>09:00: answered 3</title>",
        "<title>09:00: quoted 1</title>", "<title>09:00: nothing found 1</title>", "<title>09:00: failed 1</title>",
        "<title>09:00: thumbs down 1</title>", "<title>09:00: median 2 s</title>", "<td>engine_failed</td><td>1</td>",
        "30.0 a day", "Of this day there are too few to say",
    ):  # fmt: skip
        assert said in drawn, said
    assert "default-src 'none'" in drawn
    assert "src=" not in drawn
    assert "href=" not in drawn
    assert "<script" not in drawn


def test_a_quiet_day_has_a_page_too() -> None:
    drawn = page(day_of("maya", DAY, Answers.of([]), [], reference_answers=30))
    assert "maya on 12 November 2026: 0 answers</h1>" in drawn
    assert "Nobody asked anything." in drawn
    assert "Nobody said whether an answer was good." in drawn
    assert "<svg" not in drawn


def test_the_pictures_are_sound_and_their_scales_are_round() -> None:
    picture = ElementTree.fromstring(traffic(counted(*(seen(7, 9 + number / 100) for number in range(17)))))
    ticks = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")][:5]
    assert ticks == ["0", "5", "10", "15", "20"]
    assert picture.attrib["aria-label"] == "answers by the hour"
    assert bars({"a": [0.0, None]}, ["x", "y"], "nothing") == lines({"a": [None, None]}, ["x", "y"], "nothing") == ""
    assert lines({"a": [1.0, None, 2.0, 3.0]}, ["w", "x", "y", "z"], "a gap").count("<polyline") == 1


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """On disk: a schedule wants an instance that others could open, too."""
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        made.add_dynamic_partitions(AUTHORS.name or "", ["maya", "ben"])
        yield made


def test_a_day_or_many_are_drawn_in_one_run_and_the_same_answers_are_the_same_page(
    instance: dg.DagsterInstance, warehouse: Warehouse, objects: ObjectStore
) -> None:
    record(warehouse, "maya", [*week(), seen(7, 9.0), seen(7, 9.1)])
    up = Feedback("7-9.0", "maya", "q", "a", None, "up", None, None, author_key=False, created_at=at(7, 10))
    warehouse.upsert(FEEDBACK_TABLE, feedback_table([up]), "maya", identity="feedback_id")
    put_new(objects, alarm(1, State.CLOSED, at(7, 9)))
    authors = {"maya": Author(name="Maya", sources=(Source(platform="files"),))}
    resources = {"warehouse": warehouse, "objects": objects, "settings": Settings(authors=authors)}

    def drawn(**asked: object) -> dg.AssetMaterialization:
        done = dg.materialize([daily], instance=instance, resources=resources, **asked)  # type: ignore[arg-type]
        return done.asset_materializations_for_node("monitoring__daily")[0]

    one = drawn(partition_key=dg.MultiPartitionKey({"author": "maya", "day": "2026-11-12"}))
    content = objects.get(page_path("maya", DAY)).decode()
    assert "2 answers, 1 alarm" in content
    assert "thumbs up 1" in content
    assert one.metadata["answers"].value == 2
    assert "data:image/svg+xml;base64," in str(one.metadata["preview"].value)
    many = drawn(
        tags={
            "dagster/asset_partition_range_start": "maya|2026-11-10",
            "dagster/asset_partition_range_end": "maya|2026-11-12",
        }
    )
    assert many.metadata["pages"].value == 3
    assert objects.get(page_path("maya", DAY)).decode() == content
    assert instance.get_materialized_partitions(DAILY) == {f"maya|2026-11-{day}" for day in (10, 11, 12)}


def test_after_midnight_yesterday_is_drawn_for_everybody(instance: dg.DagsterInstance) -> None:
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime(2026, 11, 13, 0, 20, tzinfo=UTC)
    )
    keys = [each.partition_key for each in daily_pages(context)]  # type: ignore[union-attr]
    assert sorted(map(str, keys)) == ["ben|2026-11-12", "maya|2026-11-12"]


def test_a_run_up_to_the_evaluation_draws_no_page() -> None:
    assert DAILY not in UP_TO_EVALUATION.resolve([daily, feedback])
