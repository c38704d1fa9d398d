"""An approval and a release that die right after their n-th write."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import obstore

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Interval, Verdict
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.release.approvals import approve, roll_back
from llm_twin_assets.release.deployment import Served, approved, deploy, return_to
from llm_twin_assets_tests.faults.own_process import DyingWrites
from resources.object_store import ObjectStore

NOW = datetime(2026, 11, 21, tzinfo=UTC)
_MODEL = ModelVersion("maya", "twin-maya", "1", "m1", "models/maya/1", "tiny-llama", None, "d1")


def evaluated(objects: ObjectStore, version: str) -> None:
    """A verdict that lets the version through."""
    found = Verdict(
        author="maya",
        model_version=version,
        model_digest=f"m{version}",
        reference="base tiny-llama",
        dataset="d",
        documents=9,
        candidate_bits_per_byte=1.9,
        reference_bits_per_byte=2.2,
        difference=Interval(mean=-0.3, low=-0.4, high=-0.2),
        passed=True,
        reason="better",
        config_digest="c",
        evaluated_at=NOW,
    )
    objects.replace(f"evaluations/maya/{version}.json", found.model_dump_json().encode())
    objects.replace(f"models/maya/{version}/config.json", b"{}")


def release(root: str, version: str) -> None:
    """Approve a version and release it."""
    objects = ObjectStore(root)
    approve(objects, "maya", version, "Noor", "yes", NOW)
    redeploy(root, version)


def redeploy(root: str, version: str) -> None:
    """Release what is approved: what anybody does who finds that a run was killed."""
    objects = ObjectStore(root)
    model = replace(_MODEL, version=version, digest=f"m{version}", path=f"models/maya/{version}")
    served = Served("Maya", f"snapshot-{version}", "minilm", "e", prompt_digest())
    deploy(objects, approved(objects, "maya"), model, served, NOW)


def return_home(root: str, version: str) -> None:
    """Roll back."""
    objects = ObjectStore(root)
    return_to(objects, roll_back(objects, "maya", version, "Noor", "worse", NOW), NOW)


def die_after(work: Callable[[str, str], None], root: str, version: str, number: int) -> None:
    """The work, killed right after its n-th write."""
    obstore.put = DyingWrites(number).counted(obstore.put)
    work(root, version)
