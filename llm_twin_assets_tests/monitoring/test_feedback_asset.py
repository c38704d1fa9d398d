import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, Feedback, feedback_of, thumbs_of
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Tombstone, tombstone_rows
from llm_twin_assets.domain.remark import FORGOTTEN, Answered, Remark, folder, new_path
from llm_twin_assets.monitoring.feedback_assets import Collected, Collecting, feedback
from llm_twin_assets.monitoring.feedback_sensor import new_feedback
from llm_twin_assets_tests.monitoring.annotated_phoenix import Phoenix, phoenix
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Author, Environment, Settings, Source
from resources.tracing_settings import Tracing
from resources.warehouse import Warehouse

NOW = datetime(2026, 11, 21, 13, tzinfo=UTC)
FIRST, SECOND = "a" * 16 + "1" * 16, "b" * 16 + "2" * 16
WORDS = Answered(question="Why split by document?", answer="It was true.", documents=("d1",))


class Home:
    """A home in which people say things."""

    def __init__(self, root: Path, url: str) -> None:
        self.objects = ObjectStore(str(root / "objects"))
        self.warehouse = Warehouse(str(root / "warehouse"))
        self.settings = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))})
        self.url = url

    def said(self, answer: str = FIRST, *, at: datetime = NOW, voice: str = "local", **stated: object) -> None:
        stated.setdefault("answered", WORDS)
        remark = Remark(author="maya", answer_id=answer, voice=voice, created_at=at,
                        author_key=voice == "author", **stated)  # fmt: skip
        self.objects.put_new(new_path(remark), remark.model_dump_json().encode())

    def collect(self, now: datetime = NOW) -> Collected:
        return Collecting("maya", self.objects, self.warehouse, self.settings, self.url).collect(now)

    @property
    def rows(self) -> list[Feedback]:
        return feedback_of(self.warehouse.read(FEEDBACK_TABLE, "maya"))


@pytest.fixture
def there() -> Iterator[Phoenix]:
    with phoenix() as served:
        yield served


@pytest.fixture
def home(tmp_path: Path, there: Phoenix) -> Home:
    return Home(tmp_path, there.url)


@pytest.fixture(scope="module")
def nowhere() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_of_each_thing_that_a_voice_says_the_latest_stands_and_voices_stay_apart(home: Home):
    home.said(thumb="up", at=NOW)
    home.said(thumb="down", comment="Too short.", at=NOW + timedelta(minutes=1))
    home.said(corrected_text="It was true, and late.", at=NOW + timedelta(minutes=2))
    home.said(voice="author", corrected_text="It was true.", at=NOW + timedelta(minutes=3))
    home.collect()
    theirs, authors = home.rows
    assert (theirs.thumb, theirs.comment, theirs.corrected_text) == ("down", "Too short.", "It was true, and late.")
    assert (theirs.question, theirs.answer, theirs.author_key) == (WORDS.question, WORDS.answer, False)
    assert len(theirs.remarks) == 3
    assert (authors.corrected_text, authors.author_key, authors.thumb) == ("It was true.", True, None)
    assert thumbs_of(home.rows) == {FIRST: "down"}


def test_done_again_nothing_is_doubled_anywhere(home: Home, there: Phoenix):
    there.by_hand(there.answered(FIRST), "thumb", label="down")
    home.said(thumb="up", comment="Good.")
    first = home.collect()
    assert (len(first.gathered.rows), first.told) == (2, 2)
    version, rows = home.warehouse.version(FEEDBACK_TABLE), home.rows
    again = home.collect()
    assert (again.gathered.rows, again.told, again.untold) == ((), 0, 0)
    assert (home.warehouse.version(FEEDBACK_TABLE), home.rows) == (version, rows)
    assert there.named(FIRST) == ["comment", "thumb", "thumb"]
    assert there.written == 2


def test_what_people_say_on_phoenixs_page_comes_back_and_says_so(home: Home, there: Phoenix):
    root = there.answered(FIRST, "Why?", "Because me@gmail.com says so.")
    there.by_hand(root, "thumb", label="down", score=0)
    there.by_hand(root, "correction", explanation="Because it was true.")
    there.by_hand(root, "note", identifier="px-span-note:1", explanation="Odd.")
    there.by_hand(root, "hallucination", label="no")
    home.collect()
    found = {each.voice: each for each in home.rows}
    assert set(found) == {"phoenix", "phoenix px-span-note:1"}
    page = found["phoenix"]
    assert (page.thumb, page.corrected_text, page.source) == ("down", "Because it was true.", "phoenix")
    assert (page.author_key, page.in_phoenix, page.answer) == (False, True, "Because [email] says so.")
    assert found["phoenix px-span-note:1"].comment == "Odd."
    there.by_hand(root, "thumb", label="up", score=1)
    home.collect()
    assert {each.voice: each.thumb for each in home.rows}["phoenix"] == "up"
    assert there.configs == ["thumb", "score", "comment", "correction"]


def test_what_the_service_was_told_and_somebody_changed_on_phoenixs_page_is_that_persons_word(
    home: Home, there: Phoenix
):
    root = there.answered(FIRST)
    home.said(thumb="up", comment="Good.")
    home.collect()
    [row] = home.rows
    there.by_hand(root, "thumb", identifier=f"twin:{row.feedback_id}", label="down", score=0)
    assert home.collect().told == 0
    assert {each.source: (each.thumb, each.comment) for each in home.rows} == {
        "service": ("up", "Good."),
        "phoenix": ("down", None),
    }
    assert there.annotations[root, "thumb", f"twin:{row.feedback_id}"]["result"]["label"] == "down"


def test_an_answer_nobody_remembers_gets_its_words_from_its_trace_and_waits_for_it(home: Home, there: Phoenix):
    home.said(thumb="up", answered=None)
    waits = home.collect()
    assert (waits.gathered.waiting, home.rows) == (1, [])
    there.answered(FIRST, "Why now?", "So it is.")
    home.collect()
    assert [(each.question, each.answer, each.thumb) for each in home.rows] == [("Why now?", "So it is.", "up")]


def test_what_is_said_of_an_answer_that_never_was_is_given_up(home: Home):
    home.said(thumb="up", answered=None)
    found = home.collect(NOW + timedelta(days=2))
    assert (found.gathered.waiting, found.gathered.lost, home.rows) == (0, 1, [])


def test_while_phoenix_is_away_the_table_is_filled_and_phoenix_is_told_later(home: Home, there: Phoenix, nowhere: str):
    home.said(thumb="down")
    home.said(SECOND, thumb="up", answered=None)
    home.url = nowhere
    away = home.collect()
    assert "cannot be reached" in (away.trouble or "")
    assert [(each.answer_id, each.in_phoenix) for each in home.rows] == [(FIRST, False)]
    assert (away.untold, away.gathered.waiting) == (1, 1)
    home.url = there.url
    there.answered(FIRST)
    there.answered(SECOND)
    assert home.collect().told == 2
    assert [each.in_phoenix for each in home.rows] == [True, True]
    assert (there.named(FIRST), there.named(SECOND)) == (["thumb"], ["thumb"])


def test_where_traces_do_without_words_so_do_their_annotations(home: Home, there: Phoenix):
    home.settings = home.settings.model_copy(update={"tracing": Tracing(hide_answers=True)})
    there.answered(FIRST)
    home.said(thumb="down", comment="Too short.", corrected_text="It was true.")
    assert home.collect().told == 1
    assert there.named(FIRST) == ["thumb"]


def test_answers_from_forgotten_documents_are_left_and_so_are_those_marked(home: Home, there: Phoenix):
    stone = Tombstone("d1", "maya", None, "maya", "private", NOW)
    home.warehouse.upsert(FORGOTTEN_TABLE, tombstone_rows([stone]), "maya")
    home.said(thumb="up")
    there.by_hand(there.answered(SECOND, documents=("d1",)), "thumb", label="up")
    found = home.collect()
    assert (found.gathered.forgotten, home.rows) == (2, [])
    third = "c" * 16 + "3" * 16
    home.said(third, thumb="up", answered=Answered(question="Why?", answer="So."))
    home.objects.put_new(f"{folder('maya', third)}/{FORGOTTEN}", b"")
    home.collect()
    assert home.rows == []


def test_an_object_that_is_no_feedback_stops_it_by_name(home: Home):
    home.objects.put_new(f"{folder('maya', FIRST)}/x.json", b"{}")
    with pytest.raises(StorageError, match=r"x\.json"):
        home.collect()


def tick(instance: dg.DagsterInstance, home: Home, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    environment = Environment(home="/nowhere", config=Path("none"), service_url="", phoenix_url=home.url)
    resources = {
        "objects": home.objects, "warehouse": home.warehouse, "settings": home.settings, "environment": environment,
    }  # fmt: skip
    hardcoded = {name: dg.ResourceDefinition.hardcoded_resource(each) for name, each in resources.items()}
    return new_feedback(dg.build_sensor_context(instance=instance, cursor=cursor, resources=hardcoded))


def test_the_sensor_asks_for_a_run_when_something_was_said_and_not_again(home: Home, there: Phoenix):
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("author", ["maya", "gone"])
        first = tick(instance, home, None)
        assert isinstance(first, dg.SensorResult)
        assert [each.partition_key for each in first.run_requests or []] == ["maya"]
        assert isinstance(tick(instance, home, first.cursor), dg.SkipReason)
        home.said(thumb="up")
        second = tick(instance, home, first.cursor)
        assert isinstance(second, dg.SensorResult)
        there.by_hand(there.answered(FIRST), "thumb", label="down")
        third = tick(instance, home, second.cursor)
        assert isinstance(third, dg.SensorResult)
        assert isinstance(tick(instance, home, third.cursor), dg.SkipReason)


def test_who_has_had_no_feedback_and_has_no_phoenix_costs_no_run(home: Home, nowhere: str):
    home.url = nowhere
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("author", ["maya"])
        assert isinstance(tick(instance, home, None), dg.SkipReason)
        home.said(thumb="up")
        assert isinstance(tick(instance, home, None), dg.SensorResult)


def test_what_waits_is_tried_again_after_an_hour(home: Home, nowhere: str, monkeypatch: pytest.MonkeyPatch):
    home.url = nowhere
    home.said(thumb="up", answered=None, at=datetime.now(UTC))
    environment = Environment(home="/nowhere", config=Path("none"), service_url="", phoenix_url=nowhere)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("author", ["maya"])
        first = tick(instance, home, None)
        done = dg.materialize(
            [feedback],
            instance=instance,
            partition_key="maya",
            resources={
                "objects": home.objects, "settings": home.settings, "environment": environment,
                "warehouse": home.warehouse,
            },
        )  # fmt: skip
        [made] = done.asset_materializations_for_node("monitoring__feedback")
        assert made.metadata["waiting"].value == 1
        assert isinstance(tick(instance, home, first.cursor), dg.SkipReason)
        later = datetime.now(UTC).timestamp() + 3700
        monkeypatch.setattr("llm_twin_assets.monitoring.feedback_sensor.time.time", lambda: later)
        assert isinstance(tick(instance, home, first.cursor), dg.SensorResult)
