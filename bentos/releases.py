"""Opening a release: its pins are checked, its model and its snapshot loaded, before anybody asks it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bentos.pins import check_pin, where
from bentos.stored_model import ModelLoader, StoredModel
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.answer import Twin
from llm_twin_assets.inference.engine import Engine
from llm_twin_assets.inference.opening import engine_of, open_twin
from llm_twin_assets.inference.prompts import prompt_digest
from resources.embedder import Embedder
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.service_settings import ServiceSettings
from resources.settings import Environment
from resources.vector_stores import vector_store

_ENGINE = "transformers"


@dataclass(frozen=True, slots=True)
class Released:
    """A release, opened."""

    record: Release
    twin: Twin
    embedder: Embedder

    @property
    def parts(self) -> tuple[str, ...]:
        """What is open of it."""
        return parts(self.record)

    def renamed(self, record: Release) -> "Released":
        """The same parts under another release: one that returns to them."""
        return replace(self, record=record, twin=replace(self.twin, labels=_labels(record)))


class ReleaseOpener:
    """Opens a release record: checks its pins, gets its model, opens its snapshot.

    `models` gets a released model; by default it is loaded into this process.
    """

    def __init__(
        self,
        environment: Environment,
        settings: ServiceSettings = ServiceSettings(),  # noqa: B008
        models: Callable[[StoredModel], Engine] | None = None,
    ) -> None:
        self._models = models or ModelLoader(ObjectStore(environment.under("objects")), settings.serving).load
        self._vectors = vector_store(environment.under("embedded"))
        self._settings = settings
        self._environment = environment
        self._embedders: dict[str, Embedder] = {}

    def open(self, record: Release) -> Released:
        """The release, ready to answer; raises `TwinError` if it must not or cannot be served."""
        place = where(record)
        check_pin(place, "engine", record.engine, _ENGINE)
        check_pin(place, "prompt template", record.prompt_digest, prompt_digest())
        embedder = self._embedder(record.embedder)
        check_pin(place, "embedding model", record.embedder_digest, embedder.digest)
        index = self._vectors.open(record.author, record.snapshot)
        if index.count() == 0:
            raise StorageError(f"the snapshot '{record.snapshot}' holds nothing", where=place)
        # What is slow only once, or fails only when used, should be so before the swap.
        embedder.encode(["warm"])
        engine = engine_of(self._settings.serving, lambda: self._models(StoredModel.of(record)))
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
        return Released(record, twin, embedder)

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
                for_questions=True,
            )
        return self._embedders[model]


def parts(record: Release) -> tuple[str, ...]:
    """What is open of a release."""
    return (
        record.author_name, record.engine, record.model_path, record.model_digest, record.snapshot, record.embedder,
        record.embedder_digest, record.prompt_digest,
    )  # fmt: skip


def _labels(record: Release) -> dict[str, str | bool]:
    return {
        "release": record.release_id,
        "model_version": record.model_version,
        "snapshot": record.snapshot,
        "dataset": record.dataset,
    }
