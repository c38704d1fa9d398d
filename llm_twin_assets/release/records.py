"""Where the records of evaluation, approval and release lie, and how they are read and appended to."""

from collections.abc import Callable
from typing import TypeVar

from llm_twin_assets.domain.release import Approval, Record, Release, Verdict
from resources.object_store import ObjectStore

R = TypeVar("R", bound=Record)


def approvals(objects: ObjectStore, author: str) -> list[Approval]:
    """All decisions on an author's models, oldest first."""
    return [Approval.model_validate_json(objects.get(path)) for path in objects.list(f"approvals/{author}")]


def deciding_approval(objects: ObjectStore, author: str) -> Approval | None:
    """The newest decision that names what shall serve; a rejection does not."""
    yes = [past for past in approvals(objects, author) if past.decision != "rejected"]
    return yes[-1] if yes else None


def releases(objects: ObjectStore, author: str) -> list[Release]:
    """All releases of an author, oldest first."""
    paths = [path for path in objects.list(f"releases/{author}") if path != pointer(author)]
    return [Release.model_validate_json(objects.get(path)) for path in paths]


def current_release(objects: ObjectStore, author: str) -> Release | None:
    """What the pointer names: the release that serves."""
    content = objects.find(pointer(author))
    return Release.model_validate_json(content) if content else None


def find_verdict(objects: ObjectStore, author: str, version: str) -> Verdict | None:
    """The evaluation of a model version, if there was one."""
    content = objects.find(f"evaluations/{author}/{version}.json")
    return Verdict.model_validate_json(content) if content else None


def pointer(author: str) -> str:
    """The object that the service follows; it holds the whole record of the release it names."""
    return f"releases/{author}/current.json"


def append(objects: ObjectStore, prefix: str, record: Callable[[int], R]) -> R:
    """Write a record under the next free number; of two writers at once, each gets a number of its own."""
    sequence = 1 + sum(not path.endswith("/current.json") for path in objects.list(prefix))
    while True:
        written = record(sequence)
        if objects.put_new(f"{prefix}/{sequence:06d}.json", written.model_dump_json(indent=2).encode()):
            return written
        sequence += 1
