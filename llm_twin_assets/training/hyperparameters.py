"""The stored plan of an author: immutable under its digest, with a pointer to the one in force."""

import json

from llm_twin_assets.training.plan import TrainingPlan
from resources.errors import StorageError
from resources.object_store import ObjectStore


def store(objects: ObjectStore, author: str, plan: TrainingPlan) -> bool:
    """Make a plan the author's current one; False if a plan with the same values was stored before and is reused."""
    is_new = objects.put_new(_path(author, plan.digest), plan.model_dump_json(indent=2).encode())
    pointer = json.dumps({"digest": plan.digest}).encode()
    if objects.find(_path(author, "current")) != pointer:
        objects.replace(_path(author, "current"), pointer)
    return is_new


def current(objects: ObjectStore, author: str) -> TrainingPlan:
    """The author's current plan; raises `StorageError` if there is none."""
    pointer = objects.find(_path(author, "current"))
    if pointer is None:
        raise StorageError(f"author '{author}' has no hyperparameters yet", mend=f"Run `twin run --author {author}`.")
    return TrainingPlan.model_validate_json(objects.get(_path(author, json.loads(pointer)["digest"])))


def find(objects: ObjectStore, author: str, plan_digest: str) -> TrainingPlan | None:
    """The plan of that digest, if it is kept."""
    content = objects.find(_path(author, plan_digest))
    return TrainingPlan.model_validate_json(content) if content else None


def _path(author: str, name: str) -> str:
    return f"hyperparameters/{author}/{name}.json"
