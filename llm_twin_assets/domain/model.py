"""A registered model version, as the stages after training see it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """What the registry's tags say of a version; `path` is its folder in the object store."""

    author: str
    name: str
    version: str
    digest: str
    path: str
    base: str
    base_revision: str | None
    dataset: str

    @classmethod
    def from_tags(cls, author: str, version: str, tags: Mapping[str, str]) -> "ModelVersion":
        """Read the tags that training put on the version."""
        return cls(
            author=author,
            name=f"twin-{author}",
            version=version,
            digest=tags["model_digest"],
            path=model_path(author, version),
            base=tags["base"],
            base_revision=tags.get("base_revision") or None,
            dataset=tags["dataset_version"],
        )


def model_path(author: str, version: str) -> str:
    """Where the folder of a model version lies in the object store."""
    return f"models/{author}/{version}"
