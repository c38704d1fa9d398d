import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bentos.annotator import PhoenixAnnotator
from bentos.api import create_app, open_up
from bentos.desk import Asked, Desk
from bentos.door import Door
from llm_twin_assets.datasets.assets import all_cleaned
from llm_twin_assets.datasets.preference import of_feedback
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_of
from llm_twin_assets.domain.remark import Remark, folder
from llm_twin_assets.monitoring.feedback_assets import Collecting
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.bentos.scripted import TRUE, Scripted
from resources.api_keys import Keyring, new_key, write_keys
from resources.llm_settings import Preference
from resources.phoenix_annotations import Annotation, AnnotationsUnavailableError
from resources.settings import Author, Settings, Source
from resources.warehouse import Warehouse

KEYS = {
    "visitor": {"authors": ("maya",)},
    "maya": {"held_by": "maya"},
    "reader": {"endpoints": ("answer",)},
}
UNKNOWN = "0" * 32
SAYS_NOTHING = {"thumb": None, "score": None, "comment": None, "corrected_text": None}


class Told:
    """An annotator that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, list[Annotation]]] = []

    def annotate(self, project: str, trace_id: str, said: Sequence[Annotation]) -> None:
        self.said.append((project, trace_id, list(said)))

    def close(self) -> None: ...


class Service:
    """The interface with three keys, and what it has told Phoenix."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        made = {name: new_key(name, **scope) for name, scope in KEYS.items()}
        write_keys(folder / "keys.json", [key for _, key in made.values()])
        self.tokens = {name: token for name, (token, _) in made.items()}
        self.told = Told()
        self.desk = replace(desk, annotator=self.told)
        app = create_app()
        open_up(app, self.desk, Door(Keyring(folder / "keys.json")))
        self._client = TestClient(app, raise_server_exceptions=False)

    def answered(self, author: str = "maya", question: str = "How to split samples?") -> str:
        return self.desk.answer(self.desk.released(author), Asked(question), threading.Event()).answer_id

    def says(self, answer_id: str, key: str = "visitor", **said: object) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {self.tokens[key]}"}
        given = self._client.post("/v1/feedback", json={"answer_id": answer_id, **said}, headers=headers)
        return given.status_code, given.json()

    def kept(self, answer_id: str, author: str = "maya") -> list[Remark]:
        objects = self.desk.releases.objects
        found = [Remark.model_validate_json(objects.get(path)) for path in objects.list(folder(author, answer_id))]
        return sorted(found, key=lambda each: each.created_at)


@pytest.fixture
def service(desk: Desk, engine: Scripted, tmp_path: Path) -> Service:
    return Service(desk, tmp_path)


def test_what_is_said_of_an_answer_is_kept_with_the_words_of_both_and_told_to_phoenix(service: Service):
    answer = service.answered()
    status, reply = service.says(answer, thumb="down", comment=" Too short. ")
    assert status == 200
    assert (reply["thumb"], reply["comment"], reply["author"], reply["answer_known"]) == (
        "down",
        "Too short.",
        "maya",
        True,
    )
    [kept] = service.kept(answer)
    assert (kept.thumb, kept.comment, kept.author_key, kept.voice[:4]) == ("down", "Too short.", False, "key-")
    assert kept.answered is not None
    assert kept.answered.question == "How to split samples?"
    assert TRUE.split(".")[0] in kept.answered.answer
    assert kept.answered.documents
    [(project, trace, told)] = service.told.said
    assert (project, trace) == ("twin-maya", answer)
    assert [(each.name, each.label, each.explanation) for each in told] == [
        ("thumb", "down", None),
        ("comment", None, "Too short."),
    ]
    assert {each.identifier for each in told} == {f"twin:{reply['feedback_id']}"}


def test_a_second_word_is_written_beside_the_first_under_the_same_identity(service: Service):
    answer = service.answered()
    first, second = (service.says(answer, thumb=thumb)[1] for thumb in ("up", "down"))
    assert first["feedback_id"] == second["feedback_id"]
    assert [each.thumb for each in service.kept(answer)] == ["up", "down"]


def test_only_the_authors_own_key_makes_a_correction_the_authors(service: Service):
    answer = service.answered()
    for key, is_theirs in (("visitor", False), ("maya", True)):
        assert service.says(answer, key, corrected_text="As I said.")[1]["author_key"] is is_theirs
    other = service.answered("ben")
    assert service.says(other, "maya", corrected_text="As I said.")[1]["author_key"] is False
    assert [(each.voice == "author", each.author_key) for each in service.kept(answer)] == [
        (False, False),
        (True, True),
    ]


def test_an_answer_that_is_not_remembered_is_taken_for_an_author_that_the_key_may_ask(service: Service):
    status, reply = service.says(UNKNOWN, thumb="up")
    assert (status, reply["author"], reply["answer_known"]) == (200, "maya", False)
    assert service.kept(UNKNOWN)[-1].answered is None
    assert service.says(UNKNOWN, "maya", thumb="up")[0] == 422  # two twins are released: whose was it?
    assert service.says(UNKNOWN, thumb="up", author="ben")[1]["error"]["type"] == "unknown_author"
    assert service.kept(UNKNOWN, "ben") == []


def test_an_answer_of_another_author_does_not_exist_for_the_key(service: Service):
    other = service.answered("ben")
    for said in ({}, {"author": "ben"}, {"author": "maya"}):
        assert service.says(other, thumb="up", **said)[1]["error"]["type"] in ("unknown_answer", "unknown_author")
    assert service.says(service.answered(), author="ben", key="maya", thumb="up")[0] == 404
    assert service.says(other, "reader", thumb="up")[1]["error"]["type"] == "forbidden"
    assert service.kept(other, "ben") == []


def test_what_the_author_corrects_here_comes_out_as_a_document_and_a_pair(service: Service, tmp_path: Path):
    answer, mine = (
        service.answered(),
        "Split by document, I said. Perplexity rose from 11 to 29 then, and it was true at last.",
    )
    service.says(answer, "maya", corrected_text=mine)
    service.says(answer, "visitor", corrected_text="I would rather split by paragraph, and see what comes of it.")
    settings = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))})
    warehouse = Warehouse(str(tmp_path / "warehouse"))
    Collecting("maya", service.desk.releases.objects, warehouse, settings, url="").collect(datetime.now(UTC))
    rows = [each for each in feedback_of(warehouse.read(FEEDBACK_TABLE, "maya")) if each.answer_id == answer]
    assert len(rows) == 2
    documents = [each.text for each in all_cleaned(warehouse, "maya") if each.title == "How to split samples?"]
    assert mine in documents
    assert not any("paragraph" in each for each in documents)
    [pair] = of_feedback(rows, Preference(), lambda _: False).pairs
    assert (pair.prompt, pair.chosen) == ("How to split samples?", mine)
    assert pair.rejected == TRUE, "without the marks of its citations"


@pytest.mark.parametrize(
    "said",
    [
        {},
        SAYS_NOTHING,
        {"thumb": "sideways"},
        {"score": 1.01},
        {"comment": "  \n"},
        {"comment": "w" * 2001},
        {"corrected_text": ""},
        {"corrected_text": "w" * 20_001},
        {"thumb": "up", "answer": "another"},
    ],
)
def test_what_says_nothing_or_too_much_is_refused(service: Service, said: dict):
    assert service.says(UNKNOWN, **said)[0] == 422


@pytest.mark.parametrize("answer", ["", "../../releases/maya", "0" * 31, "A" * 32, 5])
def test_an_id_that_is_no_answers_never_becomes_a_path(service: Service, answer: str):
    assert service.says(answer, thumb="up")[0] == 422


def test_personal_data_is_masked_before_anything_is_written(service: Service):
    answer = service.answered(question="Is maya.private@gmail.com where to ask how to split samples?")
    _, reply = service.says(answer, comment="Write me: me@gmail.com", corrected_text="Call me@gmail.com.\n")
    assert reply["corrected_text"] == "Call [email].\n"
    assert "@gmail.com" not in json.dumps(service.kept(answer)[0].model_dump(mode="json"))
    assert "@gmail.com" not in str(service.told.said)


def test_what_cannot_be_written_is_said(service: Service, monkeypatch: pytest.MonkeyPatch):
    def full(path: str, content: bytes) -> bool:
        raise OSError("no space left on device")

    monkeypatch.setattr(service.desk.releases.objects, "put_new", full)
    status, reply = service.says(UNKNOWN, thumb="up")
    assert (status, reply["error"]["type"]) == (503, "not_kept")
    assert "space" not in reply["error"]["message"]
    assert service.told.said == []


class Slow:
    """A Phoenix that shows a trace at the third look, or cannot be reached."""

    def __init__(self, looks: int = 3, *, gone: bool = False) -> None:
        self.looks, self.gone = looks, gone
        self.put_there: list[tuple[str, Annotation]] = []
        self.done = threading.Event()

    def root_span(self, project: str, trace_id: str) -> str | None:
        if self.gone:
            self.done.set()
            raise AnnotationsUnavailableError("Phoenix cannot be reached")
        self.looks -= 1
        return "span" if self.looks <= 0 else None

    def put(self, said: Sequence[tuple[str, Annotation]]) -> None:
        self.put_there += said
        self.done.set()


def test_an_annotation_waits_for_its_trace_and_nobody_waits_for_the_annotation():
    phoenix, said = Slow(), Annotation("thumb", label="up")
    annotator = PhoenixAnnotator(phoenix, pause=0.01)
    annotator.annotate("twin-maya", UNKNOWN, [said])
    assert phoenix.done.wait(10)
    assert phoenix.put_there == [("span", said)]
    annotator.close()


def test_what_phoenix_does_not_take_is_left_and_said_in_the_log(caplog: pytest.LogCaptureFixture):
    phoenix = Slow(gone=True)
    annotator = PhoenixAnnotator(phoenix)
    annotator.annotate("twin-maya", UNKNOWN, [])
    assert phoenix.done.wait(10)
    servers.wait_until(lambda: "Phoenix gets it later: Phoenix cannot be reached" in caplog.text)
    annotator.close()


def test_more_than_waits_its_turn_is_left_and_costs_the_caller_nothing(caplog: pytest.LogCaptureFixture):
    annotator = PhoenixAnnotator(Slow(looks=1000), pause=60.0)
    for _ in range(300):
        annotator.annotate("twin-maya", UNKNOWN, [])
    assert "too much of it at once" in caplog.text
    annotator.close()
