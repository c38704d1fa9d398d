"""Approvals and releases that are not what was written release nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from llm_twin_assets.domain.chain import TamperedError
from llm_twin_assets.release.approvals import ApprovalError, approve, reject
from llm_twin_assets.release.deployment import approved, deploy
from llm_twin_assets.release.records import current_release
from llm_twin_assets_tests.release.test_approvals import evaluated
from llm_twin_assets_tests.release.test_deployment import MODEL, SERVED
from resources.object_store import ObjectStore

SECOND = replace(MODEL, version="2", digest="m", path="models/maya/2")


@pytest.fixture
def released(objects: ObjectStore, now: datetime) -> Path:
    """Two approved and released versions, and a third that was rejected."""
    for version, model in (("1", replace(MODEL, digest="m")), ("2", SECOND)):
        evaluated(objects, version, now)
        said = approve(objects, "maya", version, "Noor", "yes", now)
        deploy(objects, said, model, SERVED, now)
    evaluated(objects, "3", now)
    reject(objects, "maya", "3", "Noor", "it tells a secret", now)
    return Path(objects.root)


def edit(path: Path, **change: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


TAMPERING: dict[str, Callable[[Path], object]] = {
    "the approver is another": lambda root: edit(root / "approvals/maya/000001.json", approver="Ada"),
    "the version is another": lambda root: edit(root / "approvals/maya/000002.json", model_version="3"),
    "the no became a yes": lambda root: edit(root / "approvals/maya/000003.json", decision="approved"),
    "the no is gone": lambda root: (root / "approvals/maya/000003.json").unlink(),
    "the first yes is gone": lambda root: (root / "approvals/maya/000001.json").unlink(),
    "the override is gone": lambda root: edit(root / "approvals/maya/000002.json", override=None),
    "the copy is gone": lambda root: (root / "approvals/maya/current.json").unlink(),
    "all approvals are gone": lambda root: [file.unlink() for file in (root / "approvals/maya").iterdir()],
}


@pytest.mark.parametrize("tamper", TAMPERING.values(), ids=TAMPERING.keys())
def test_tampered_approvals_release_nothing(
    objects: ObjectStore, released: Path, now: datetime, tamper: Callable[[Path], object]
) -> None:
    said = approved(objects, "maya")
    tamper(released)
    with pytest.raises(TamperedError):
        current_release(objects, "maya")
    before = sorted(file.name for file in (released / "releases/maya").iterdir())
    with pytest.raises((TamperedError, ApprovalError)):
        deploy(objects, said, SECOND, replace(SERVED, snapshot="snapshot-9"), now)
    assert sorted(file.name for file in (released / "releases/maya").iterdir()) == before


RELEASES: dict[str, Callable[[Path], object]] = {
    "the model is another": lambda root: edit(root / "releases/maya/000001.json", model_path="models/evil"),
    "the newest model is another": lambda root: edit(root / "releases/maya/000002.json", model_path="models/evil"),
    "the pointer names another": lambda root: edit(root / "releases/maya/current.json", model_path="models/evil"),
    "the newest is gone": lambda root: (root / "releases/maya/000002.json").unlink(),
    "the first is gone": lambda root: (root / "releases/maya/000001.json").unlink(),
    "the pointer is torn": lambda root: (root / "releases/maya/current.json").write_bytes(b"{"),
}


@pytest.mark.parametrize("tamper", RELEASES.values(), ids=RELEASES.keys())
def test_tampered_releases_release_nothing(
    objects: ObjectStore, released: Path, now: datetime, tamper: Callable[[Path], object]
) -> None:
    said = approved(objects, "maya")
    tamper(released)
    with pytest.raises(TamperedError):
        current_release(objects, "maya")
    with pytest.raises(TamperedError):
        deploy(objects, said, SECOND, replace(SERVED, snapshot="snapshot-9"), now)


def test_a_release_without_an_approval_is_believed_by_nobody(
    objects: ObjectStore, now: datetime, tmp_path: Path
) -> None:
    evaluated(objects, "1", now)
    other = ObjectStore(str(tmp_path / "elsewhere"))
    evaluated(other, "1", now)
    said = approve(other, "maya", "1", "Mallory", "mine", now)
    deploy(other, said, replace(MODEL, digest="m"), SERVED, now)
    for name in ("000001", "current"):
        objects.put_new(f"releases/maya/{name}.json", other.get(f"releases/maya/{name}.json"))
    with pytest.raises(TamperedError, match="approval 1 is missing"):
        current_release(objects, "maya")


def test_a_home_from_before_there_were_chains_serves_and_goes_on(objects: ObjectStore, now: datetime) -> None:
    evaluated(objects, "1", now)
    said = approve(objects, "maya", "1", "Noor", "yes", now)
    deploy(objects, said, replace(MODEL, digest="m"), SERVED, now)
    root = Path(objects.root)
    for file in root.glob("[ar]*s/maya/*.json"):
        if file.parent.parent.name in ("approvals", "releases"):
            old = json.loads(file.read_text())
            new_keys = (
                "previous", "override", "model_digest" if "decision" in old and "dataset" not in old else "",
                "verdict", "verdict_digest", "approval_digest", "smoke", "engine", "service", "code_version",
                "base_revision", "reason" if "dataset" in old else "", "decision" if "dataset" in old else "",
            )  # fmt: skip
            file.write_text(json.dumps({key: value for key, value in old.items() if key not in new_keys}))
    (root / "approvals/maya/current.json").unlink()
    old = current_release(objects, "maya")
    assert old is not None
    assert old.previous is None
    release, is_new = deploy(
        objects, approved(objects, "maya"), replace(MODEL, digest="m"), replace(SERVED, snapshot="snapshot-2"), now
    )
    assert (is_new, release.sequence) == (True, 2)
    assert current_release(objects, "maya") == release
    edit(root / "releases/maya/000001.json", model_path="models/evil")
    with pytest.raises(TamperedError):
        current_release(objects, "maya")
