"""Opening a release: its pins are checked, its model and its snapshot loaded, before anybody asks it."""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.answer import Twin
from llm_twin_assets.inference.engine import Sampling
from llm_twin_assets.inference.opening import engine_of, open_twin
from llm_twin_assets.inference.prompts import messages, prompt_digest
from resources.embedder import Embedder
from resources.errors import StorageError, TwinError
from resources.folder_digest import folder_digest
from resources.object_store import ObjectStore
from resources.service_settings import ServiceSettings
from resources.settings import Environment
from resources.vector_stores import vector_store

_ENGINE = "transformers"


class ReleaseRefusedError(TwinError):
    """A release that this service must not serve: template, embedder or model are not those it was made with."""


@dataclass(frozen=True, slots=True)
class Released:
    """A release, opened."""

    record: Release
    twin: Twin
    embedder: Embedder
    # A model copied from a bucket lives as long as the release does; empty where the store is a folder.
    scratch: tempfile.TemporaryDirectory[str] = field(repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """What is open of it."""
        return parts(self.record)

    def renamed(self, record: Release) -> "Released":
        """The same parts under another release: one that returns to them."""
        return replace(self, record=record, twin=replace(self.twin, labels=_labels(record)))


class ReleaseOpener:
    """Opens a release record: checks its pins, loads its model, opens its snapshot, lets it answer once."""

    def __init__(self, environment: Environment, settings: ServiceSettings = ServiceSettings()) -> None:  # noqa: B008
        self._objects = ObjectStore(environment.under("objects"))
        self._vectors = vector_store(environment.under("embedded"))
        self._settings = settings
        self._environment = environment
        self._embedders: dict[str, Embedder] = {}

    def open(self, record: Release) -> Released:
        """The release, ready to answer; raises `TwinError` if it must not or cannot be served."""
        _check(record, "engine", record.engine, _ENGINE)
        _check(record, "prompt template", record.prompt_digest, prompt_digest())
        embedder = self._embedder(record.embedder)
        _check(record, "embedding model", record.embedder_digest, embedder.digest)
        index = self._vectors.open(record.author, record.snapshot)
        if index.count() == 0:
            raise StorageError(f"the snapshot '{record.snapshot}' holds nothing", where=where(record))
        folder, scratch = self._model(record)
        _check(record, "model", record.model_digest, folder_digest(folder))
        engine = engine_of(self._settings.serving, folder, f"{record.model_name}/{record.model_version}")
        twin = open_twin(
            record.author,
            record.author_name,
            index,
            embedder,
            engine,
            _labels(record),
            serving=self._settings.serving,
            retrieval=self._settings.retrieval,
            scrubber=Scrubber.of(self._settings.scrub, self._settings.public.get(record.author, ())),
        )
        # What is slow only once, or fails only when used, should be so before the swap.
        embedder.encode(["warm"])
        if engine is not None and self._settings.serving.engine == "transformers":
            engine.generate(messages("Hello", author_name=record.author_name), Sampling(2))
        return Released(record, twin, embedder, scratch)

    def _embedder(self, model: str) -> Embedder:
        if model not in self._embedders:
            revision = self._settings.embedding.revision if model == self._settings.embedding.model else None
            self._embedders[model] = Embedder(
                model,
                revision,
                self._settings.embedding.batch_size,
                backend=self._settings.embedding.backend,
                precision=self._settings.embedding.precision,
                cache=self._environment.cache("embedding"),
            )
        return self._embedders[model]

    def _model(self, record: Release) -> "tuple[Path, tempfile.TemporaryDirectory[str]]":
        scratch = tempfile.TemporaryDirectory(prefix="twin-model-")
        folder = self._objects.local_folder(record.model_path, Path(scratch.name))
        if not any(folder.glob("*config.json")):
            raise StorageError("holds no model", where=f"{self._objects.root}/{record.model_path}")
        return folder, scratch


def parts(record: Release) -> tuple[str, ...]:
    """What is open of a release."""
    return (
        record.author_name, record.engine, record.model_path, record.model_digest, record.snapshot, record.embedder,
        record.embedder_digest, record.prompt_digest,
    )  # fmt: skip


def _check(record: Release, what: str, pinned: str, ours: str) -> None:
    if pinned != ours:
        raise ReleaseRefusedError(
            f"its {what} is not the one found here ({pinned[:12]}… instead of {ours[:12]}…)",
            where=where(record),
            mend="Run the version that made it, or train, evaluate and release again.",
        )


def where(record: Release) -> str:
    """How errors name a release."""
    return f"release {record.release_id} of {record.author}"


def _labels(record: Release) -> dict[str, str]:
    return {
        "release": record.release_id,
        "model_version": record.model_version,
        "snapshot": record.snapshot,
        "dataset": record.dataset,
    }
