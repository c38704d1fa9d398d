"""An approved model is tried on a share of the requests before it serves, where `release.canary` says so."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import dagster as dg
import pytest
from typer.testing import CliRunner

from llm_twin_assets.commands.canary import canary as command
from llm_twin_assets.commands.releases import listed
from llm_twin_assets.domain.canary import BY_FIGURES, BY_TIME, Figures, Seen
from llm_twin_assets.domain.canary_records import ended, put_figures, running_canary
from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import canary_pointer
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release import assets
from llm_twin_assets.release.approvals import approve
from llm_twin_assets.release.canary import settle, stop, wants_run
from llm_twin_assets.release.canary_sensor import canaries
from llm_twin_assets.release.deployment import deploy
from llm_twin_assets.release.records import approvals, current_release, deciding, releases
from llm_twin_assets.release.returning import release_before
from llm_twin_assets_tests.release.test_approvals import evaluated
from llm_twin_assets_tests.release.test_deployment import MODEL, SERVED, approval
from resources.notice import Notice
from resources.object_store import ObjectStore
from resources.release_settings import Releasing, Trial
from resources.settings import Author, Environment, Settings, Source

# So long that nothing is overdue by the clock of a sensor.
TRIAL = Trial(share=0.1, minutes=60, min_answers=20, max_days=36_500)
SOUND = Figures(canary=Seen(seconds=(30,)), served=Seen(seconds=(270,)))
FAILING = Figures(canary=Seen(failed=20), served=Seen(seconds=(180,)))


def canary_of(trial: Trial, now: datetime) -> Release:
    """A release on trial, as a value."""
    return Release(
        release_id="maya-000002", author="maya", author_name="Maya", sequence=2, model_name="twin-maya",
        model_version="2", model_digest="m2", model_path="models/maya/2", base="tiny-llama", dataset="d",
        snapshot="snapshot-1", embedder="minilm", embedder_digest="e", prompt_digest="p", approval_sequence=2,
        approver="Noor", canary=trial, released_at=now,
    )  # fmt: skip


def released(objects: ObjectStore, now: datetime, trial: Trial | None = TRIAL, snapshot: str = "snapshot-1") -> Release:
    """Deployment of what is approved, as the asset does it."""
    settle(objects, "maya", now)
    decided = deciding(objects, "maya")
    assert decided is not None
    version = decided.approval.model_version
    model = replace(MODEL, version=version, digest=f"m{version}", path=f"models/maya/{version}")
    return deploy(objects, decided.approval, model, replace(SERVED, snapshot=snapshot), now, None, trial)[0]


@pytest.fixture
def first(objects: ObjectStore, now: datetime) -> Release:
    """Version 1 serves, without a trial: there is nothing beside which it could be tried."""
    approval(objects, "1", now)
    return released(objects, now)


@pytest.fixture
def canary(objects: ObjectStore, first: Release, now: datetime) -> Release:
    """Version 2 is approved and on trial beside it."""
    approval(objects, "2", now)
    return released(objects, now)


def test_a_model_in_anothers_place_is_tried_first(objects: ObjectStore, first: Release, canary: Release):
    assert (first.canary, canary.canary) == (None, TRIAL)
    assert current_release(objects, "maya") == first
    assert running_canary(objects, "maya") == canary
    assert releases(objects, "maya") == [first, canary]


def test_a_new_snapshot_of_what_serves_is_released_at_once(objects: ObjectStore, first: Release, now: datetime):
    renewed = released(objects, now, snapshot="snapshot-2")
    assert renewed.canary is None
    assert current_release(objects, "maya") == renewed


def test_a_trial_goes_on_until_it_is_due(objects: ObjectStore, first: Release, canary: Release, now: datetime):
    put_figures(objects, canary, "one", SOUND)
    assert wants_run(objects, "maya", now + timedelta(minutes=59)) is None
    assert released(objects, now + timedelta(minutes=59), snapshot="snapshot-2") == canary
    assert current_release(objects, "maya") == first


def test_a_sound_one_is_released_as_it_was_tried(objects: ObjectStore, canary: Release, now: datetime):
    put_figures(objects, canary, "one", SOUND)
    put_figures(objects, canary, "two", SOUND)
    later = now + timedelta(minutes=61)
    assert wants_run(objects, "maya", later) == "sound"
    assert released(objects, later) == canary
    assert current_release(objects, "maya") == canary
    assert running_canary(objects, "maya") is None
    assert wants_run(objects, "maya", later) is None
    assert len(releases(objects, "maya")) == 2


def test_what_was_collected_during_the_trial_follows_it(objects: ObjectStore, canary: Release, now: datetime):
    put_figures(objects, canary, "one", SOUND)
    followed = released(objects, now + timedelta(minutes=61), snapshot="snapshot-2")
    assert (followed.sequence, followed.snapshot, followed.canary) == (3, "snapshot-2", None)
    assert current_release(objects, "maya") == followed


def test_too_few_answers_decide_nothing(objects: ObjectStore, canary: Release, now: datetime):
    assert wants_run(objects, "maya", now + timedelta(days=1)) is None
    assert released(objects, now + timedelta(days=1)) == canary
    assert running_canary(objects, "maya") == canary


def test_a_worse_one_is_said_no_to_and_what_serves_goes_on(
    objects: ObjectStore, first: Release, canary: Release, now: datetime
):
    put_figures(objects, canary, "one", FAILING)
    assert wants_run(objects, "maya", now) == "ended"
    assert released(objects, now) == first
    assert running_canary(objects, "maya") is None
    ending = ended(objects, canary)
    assert ending is not None
    assert (ending.by, ending.figures) == (BY_FIGURES, FAILING)
    no = approvals(objects, "maya")[-1]
    assert (no.decision, no.model_version, no.approver) == ("rejected", "2", BY_FIGURES)
    assert no.reason == "canary maya-000002: 20 of 20 answers failed, against 0 of 180"
    assert wants_run(objects, "maya", now) is None
    assert released(objects, now, snapshot="snapshot-2").model_version == "1", "its snapshots go on"


@pytest.fixture
def overdue(objects: ObjectStore, first: Release, now: datetime) -> Release:
    """A canary that nobody asked enough in fourteen days."""
    approval(objects, "2", now)
    canary = released(objects, now, TRIAL.model_copy(update={"max_days": 14}))
    put_figures(objects, canary, "one", Figures(canary=Seen(seconds=(3,)), served=Seen(seconds=(20,))))
    return canary


def test_one_that_nobody_asks_is_ended_undecided_and_not_blamed(
    objects: ObjectStore, first: Release, overdue: Release, now: datetime
):
    assert wants_run(objects, "maya", now + timedelta(days=13)) is None
    later = now + timedelta(days=14)
    assert wants_run(objects, "maya", later) == "ended"
    assert released(objects, later) == first
    assert running_canary(objects, "maya") is None
    last = approvals(objects, "maya")[-1]
    assert (last.decision, last.model_version, last.approver) == ("withdrawn", "2", BY_TIME)
    assert last.reason == "canary maya-000002: after 14 days it had given 3 of 20 answers"
    assert wants_run(objects, "maya", later) is None
    assert released(objects, later, snapshot="snapshot-2").model_version == "1", "what serves goes on"


def test_what_was_ended_undecided_may_be_approved_again_like_any_other(
    objects: ObjectStore, overdue: Release, now: datetime
):
    evaluated(objects, "2", now, digest="m2")
    later = now + timedelta(days=14)
    settle(objects, "maya", later)
    assert approve(objects, "maya", "2", "Noor", "more people ask now", later).override is False
    again = released(objects, later)
    assert running_canary(objects, "maya") == again != overdue


def test_one_that_is_worse_in_the_end_is_blamed_however_late(objects: ObjectStore, overdue: Release, now: datetime):
    put_figures(objects, overdue, "two", FAILING)
    settle(objects, "maya", now + timedelta(days=15))
    assert approvals(objects, "maya")[-1].decision == "rejected"


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (Figures(), "ended undecided: canary maya-000002: after 14 days"),
        (FAILING, "ended as worse: canary maya-000002"),
    ],
)
def test_the_run_that_puts_an_end_on_record_tells_people(
    objects: ObjectStore,
    overdue: Release,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    figures: Figures,
    told: str,
):
    sent: list[str] = []

    class Recording:
        name = "recording"

        def send(self, notice: Notice) -> None:
            sent.append(f"{notice.title}: {notice.text}")

    monkeypatch.setattr(assets, "datetime", SimpleNamespace(now=lambda _: now + timedelta(days=14)))
    monkeypatch.setattr(assets, "channels_for", lambda *_: [Recording()])
    monkeypatch.setattr(assets, "current_snapshot", lambda *_: "snapshot-1")
    put_figures(objects, overdue, "one", figures)
    settings = Settings(
        authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))},
        release=Releasing(smoke=False, service="twin:1", canary=overdue.canary),
    )
    said = [materialized(objects, settings, Registered()) for _ in range(2)]
    assert said == ["", ""]
    [notice] = sent
    assert told in notice
    assert "version 2" in notice.lower()


def test_a_person_may_say_yes_again_and_it_is_tried_again(objects: ObjectStore, canary: Release, now: datetime):
    put_figures(objects, canary, "one", FAILING)
    settle(objects, "maya", now)
    approval(objects, "2", now)
    again = released(objects, now)
    assert (again.sequence, again.canary) == (3, TRIAL)
    assert running_canary(objects, "maya") == again


def test_a_person_stops_it(objects: ObjectStore, first: Release, canary: Release, now: datetime):
    assert stop(objects, "maya", "Noor", "it sounds tired", now) == canary
    assert stop(objects, "maya", "Noor", "it sounds tired", now) is None
    assert approvals(objects, "maya")[-1].approver == "Noor"
    assert released(objects, now) == first


def test_a_roll_back_ends_a_trial_at_once(objects: ObjectStore, first: Release, canary: Release, now: datetime):
    approval(objects, "1", now, "rolled_back")
    back = released(objects, now)
    assert current_release(objects, "maya") == back == first
    assert running_canary(objects, "maya") is None
    assert wants_run(objects, "maya", now) is None
    assert settle(objects, "maya", now) is None, "nobody has said anything against version 2"


def test_a_no_while_it_is_tried_ends_it(objects: ObjectStore, first: Release, canary: Release, now: datetime):
    approval(objects, "2", now, "rejected")
    assert wants_run(objects, "maya", now) == "ended"
    assert released(objects, now) == first
    assert running_canary(objects, "maya") is None


def test_what_was_only_tried_is_nothing_to_go_back_to(objects: ObjectStore, canary: Release, now: datetime):
    approval(objects, "3", now)
    serves = released(objects, now, trial=None)
    assert current_release(objects, "maya") == serves
    assert running_canary(objects, "maya") is None
    assert release_before(objects, "maya").model_version == "1"


def test_the_sensor_deploys_what_has_come_to_its_end(
    objects: ObjectStore, canary: Release, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWIN_HOME", objects.root.removesuffix("/objects"))
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(AUTHORS.name or "", ["maya", "ben"])

    def requested() -> list[str | None]:
        result = canaries(dg.build_sensor_context(instance=instance))
        return [] if isinstance(result, dg.SkipReason) else [each.partition_key for each in result.run_requests or []]

    assert requested() == []
    put_figures(objects, canary, "one", FAILING)
    assert requested() == ["maya"]
    settle(objects, "maya", now)
    assert requested() == []
    objects.replace(canary_pointer("maya"), b"{}")
    assert requested() == [], "what was tampered with is logged"


def test_a_person_sees_how_it_does_and_stops_it(objects: ObjectStore, canary: Release, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWIN_HOME", objects.root.removesuffix("/objects"))
    put_figures(objects, canary, "one", SOUND)
    shown = CliRunner().invoke(command, ["show", "--author", "maya"]).stdout
    assert "maya-000002 (model version 2) answers 10% of the requests" in shown
    assert [line.split() for line in shown.splitlines()[2:]] == [
        ["canary", "30", "0", "0"], ["what", "serves", "270", "0", "0"],
    ]  # fmt: skip
    stopped = CliRunner().invoke(command, ["stop", "--author", "maya", "--by", "Noor", "--reason", "it sounds tired"])
    assert stopped.stdout == "maya-000002 answers nobody any more.\n"
    told = json.loads(CliRunner().invoke(command, ["show", "--author", "maya", "--json"]).stdout)
    assert (told["state"], told["ended"]["by"], told["terms"]["share"]) == ("was ended", "Noor", 0.1)
    found = listed("maya", Environment.current())
    assert (found.only_tried, found.current and found.current.release_id) == ({"maya-000002"}, "maya-000001")
    assert "No release of 'ben'" in CliRunner().invoke(command, ["show", "--author", "ben"]).stdout


def test_without_the_setting_what_is_on_trial_is_released(objects: ObjectStore, canary: Release, now: datetime):
    assert released(objects, now, trial=None) == canary
    assert current_release(objects, "maya") == canary


def test_a_trial_that_was_killed_before_it_began_begins(
    objects: ObjectStore, first: Release, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    approval(objects, "2", now)
    with monkeypatch.context() as killed:
        killed.setattr(ObjectStore, "swap", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            released(objects, now)
    assert running_canary(objects, "maya") is None
    begun = released(objects, now)
    assert running_canary(objects, "maya") == begun
    assert len(releases(objects, "maya")) == 2


def test_a_pointer_that_names_what_was_not_recorded_is_refused(objects: ObjectStore, canary: Release):
    forged = json.loads(objects.get(canary_pointer("maya"))) | {"model_path": "models/maya/9"}
    objects.replace(canary_pointer("maya"), json.dumps(forged).encode())
    with pytest.raises(TamperedError, match="does not name release 2 as it was written"):
        running_canary(objects, "maya")


@dataclass
class Registered:
    """Of a registry, what deployment asks it."""

    champion: str = ""

    def tags(self, author: str, version: str) -> dict[str, str]:
        return {"model_digest": f"m{version}", "base": "tiny-llama", "dataset_version": "d"}

    def set_alias(self, author: str, alias: str, version: str) -> None:
        self.champion = version


def materialized(objects: ObjectStore, settings: Settings, registered: Registered) -> str:
    """What the run says of the canary, empty where none is on trial."""
    with dg.build_asset_context(partition_key="maya") as context:
        result = assets.deployed(
            context, objects=objects, vector_store=None, embedder=SimpleNamespace(model="minilm", digest="e"),
            registry=registered, settings=settings, environment=Environment.current(),
        )  # fmt: skip
    return str((result.metadata or {})["canary"])


def test_the_asset_makes_nobody_champion_before_the_trial_is_over(
    objects: ObjectStore, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(assets, "current_snapshot", lambda *_: "snapshot-1")
    author = Author(name="Maya", sources=(Source(platform="files"),))
    trial = Trial(share=0.1, minutes=0, min_answers=20)
    release = Releasing(smoke=False, service="twin:1", canary=trial)
    registered, settings = Registered(), Settings(authors={"maya": author}, release=release)

    for version in ("1", "2"):
        evaluated(objects, version, now, digest=f"m{version}")
        approve(objects, "maya", version, "Noor", "reads well", now)
        said = materialized(objects, settings, registered)
    assert (said, registered.champion) == ("10% of the requests", "1")
    canary = running_canary(objects, "maya")
    assert canary is not None
    put_figures(objects, canary, "one", SOUND)
    assert (materialized(objects, settings, registered), registered.champion) == ("", "2")
