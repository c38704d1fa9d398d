"""Who is compared: the candidate, the champion that it would take the place of, and the base that both grew from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_twin_assets.domain.model import ModelVersion, model_path
from llm_twin_assets.evaluation.exam.examination import Subject
from resources.bases import find_base
from resources.object_store import ObjectStore
from resources.registry import Registry


@dataclass(frozen=True, slots=True)
class Contestants:
    """A candidate and, where there is one and it is another version, the champion."""

    candidate: ModelVersion
    champion: ModelVersion | None
    is_champion: bool

    @classmethod
    def of(cls, author: str, registry: Registry) -> "Contestants":
        """As the registry's aliases say; raises `StorageError` if there is no candidate."""
        candidate = candidate_of(author, registry)
        number = registry.alias_version(author, "champion")
        if number is None or number == candidate.version:
            return cls(candidate, None, is_champion=number is not None)
        champion = ModelVersion.from_tags(author, number, registry.tags(author, number))
        return cls(candidate, champion, is_champion=False)

    @property
    def reference(self) -> str:
        """What the candidate is compared with: the champion, or the bare base where there is no other."""
        return f"champion {self.champion.version}" if self.champion else self.base

    @property
    def base(self) -> str:
        """What the base is called."""
        return f"base {self.candidate.base}"

    @contextmanager
    def opened(self, objects: ObjectStore) -> Iterator["Opened"]:
        """All of them as folders of this machine."""
        base = find_base(self.candidate.base, self.candidate.base_revision)
        with TemporaryDirectory(prefix="twin-evaluated-") as scratch:
            yield Opened(
                candidate=_subject("candidate", self.candidate, objects, Path(scratch, "candidate")),
                champion=_subject(self.reference, self.champion, objects, Path(scratch, "champion"))
                if self.champion
                else None,
                base=Subject(self.base, base.digest, base.folder),
            )


@dataclass(frozen=True, slots=True)
class Opened:
    """Contestants that can be asked."""

    candidate: Subject
    champion: Subject | None
    base: Subject

    @property
    def folders(self) -> list[Path]:
        """Of all of them."""
        return [each.folder for each in (self.candidate, self.champion, self.base) if each]


def candidate_of(author: str, registry: Registry) -> ModelVersion:
    """The candidate as its tags describe it; raises `StorageError` if there is none."""
    number = registry.candidate_version(author)
    return ModelVersion.from_tags(author, number, registry.tags(author, number))


def _subject(name: str, model: ModelVersion, objects: ObjectStore, scratch: Path) -> Subject:
    return Subject(name, model.digest, objects.local_folder(model_path(model.author, model.version), scratch))
