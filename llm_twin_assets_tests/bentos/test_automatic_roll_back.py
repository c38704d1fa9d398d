"""The whole way: an alarm on record, the job, the records, and the service that follows them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from bentos.follower import ReleaseFollower
from bentos.releases import ReleaseOpener
from llm_twin_assets.domain.alarm import Action, Alarm, Severity
from llm_twin_assets.monitoring.action_jobs import act_on_alarm, alarm_request
from llm_twin_assets.monitoring.alarm_records import find, put_new
from llm_twin_assets.release.records import approvals, current_release, releases
from llm_twin_assets_tests.inference.tiny_twin import point_to, release
from resources.embedder import Embedder
from resources.object_store import ObjectStore
from resources.settings import Author, Environment, Settings, Source

SETTINGS = Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))})


def test_an_automatic_roll_back_brings_the_former_release_back_once(
    built_home: Path, tmp_path: Path, embedder: Embedder
) -> None:
    (tmp_path / "embedded").symlink_to(built_home / "embedded")
    shutil.copytree(built_home / "objects" / "models", tmp_path / "objects" / "models")
    objects = ObjectStore(str(tmp_path / "objects"))
    environment = Environment(home=str(tmp_path), config=tmp_path / "none.yaml", service_url="", phoenix_url="")
    following = ReleaseFollower(objects, ReleaseOpener(environment).open)
    point_to(tmp_path, release(embedder))
    following.poll()
    good = following.current["maya"]
    point_to(tmp_path, release(embedder, sequence=2, model_path="models/other"))
    following.poll()
    bad = following.current["maya"]
    assert bad.record.release_id == "maya-000002"

    now = datetime.now(UTC)
    alarm = Alarm(
        alarm_id="maya-errors-1", author="maya", rule="errors", metric="error_share", release="maya-000002",
        severity=Severity.CRITICAL, action=Action.ROLL_BACK, automatic=True, value=0.4, threshold=0.05, answers=30,
        window_minutes=60, reason="12 of 30 answers failed", opened_at=now, changed_at=now,
    )  # fmt: skip
    put_new(objects, alarm)
    for _ in range(2):
        run = act_on_alarm.execute_in_process(
            run_config=alarm_request(alarm).run_config, resources={"objects": objects, "settings": SETTINGS}
        )
        assert run.success
        following.poll()

    serving = current_release(objects, "maya")
    assert serving is not None
    assert (serving.release_id, serving.model_version, serving.approver) == ("maya-000003", "1", "alarm maya-errors-1")
    assert following.current["maya"].record == serving
    assert following.current["maya"].twin.engine is good.twin.engine, "it was kept open: nothing was loaded"
    assert len(approvals(objects, "maya")) == len(releases(objects, "maya")) == 3
    found = find(objects, "maya", "maya-errors-1")
    assert found is not None
    assert found.acted[0].startswith("roll_back: maya-000003 serves: version 1")
    assert len(found.acted) == 2
