"""Following the release pointers: a new release is opened beside the old one, then one reference is swapped."""

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.answer import Twin
from llm_twin_assets.inference.engines import TransformersEngine
from llm_twin_assets.inference.prompts import messages, prompt_digest
from resources.embedder import Embedder
from resources.errors import StorageError, TwinError
from resources.folder_digest import folder_digest
from resources.object_store import ObjectStore
from resources.settings import Embedding, Environment
from resources.vector_stores import vector_store

_logger = logging.getLogger(__name__)

_POINTER = "/current.json"


class ReleaseRefusedError(TwinError):
    """A release that this service must not serve: template, embedder or model are not those it was made with."""


@dataclass(frozen=True, slots=True)
class Released:
    """A release, opened."""

    record: Release
    twin: Twin
    # A model copied from a bucket lives as long as the release does; empty where the store is a folder.
    scratch: tempfile.TemporaryDirectory[str] = field(repr=False)


class ReleaseOpener:
    """Opens a release record: checks its pins, loads its model, opens its snapshot, lets it answer once."""

    def __init__(self, environment: Environment, embedding: Embedding) -> None:
        self._objects = ObjectStore(environment.under("objects"))
        self._vectors = vector_store(environment.under("embedded"))
        self._embedding = embedding
        self._environment = environment
        self._embedders: dict[str, Embedder] = {}

    def open(self, record: Release) -> Released:
        """The release, ready to answer; raises `TwinError` if it must not or cannot be served."""
        _check(record, "prompt template", record.prompt_digest, prompt_digest())
        embedder = self._embedder(record.embedder)
        _check(record, "embedding model", record.embedder_digest, embedder.digest)
        index = self._vectors.open(record.author, record.snapshot)
        if index.count() == 0:
            raise StorageError(f"the snapshot '{record.snapshot}' holds nothing", where=_where(record))
        folder, scratch = self._model(record)
        _check(record, "model", record.model_digest, folder_digest(folder))
        engine = TransformersEngine(folder, name=f"{record.model_name}/{record.model_version}")
        twin = Twin(record.author, record.author_name, index, embedder, engine, _labels(record))
        # What is slow only once, or fails only when used, should be so before the swap.
        embedder.encode(["warm"])
        engine.generate(messages("Hello", author_name=record.author_name), 2)
        return Released(record, twin, scratch)

    def _embedder(self, model: str) -> Embedder:
        if model not in self._embedders:
            revision = self._embedding.revision if model == self._embedding.model else None
            self._embedders[model] = Embedder(
                model,
                revision,
                self._embedding.batch_size,
                backend=self._embedding.backend,
                precision=self._embedding.precision,
                cache=self._environment.cache("embedding"),
            )
        return self._embedders[model]

    def _model(self, record: Release) -> "tuple[Path, tempfile.TemporaryDirectory[str]]":
        scratch = tempfile.TemporaryDirectory(prefix="twin-model-")
        folder = self._objects.local_folder(record.model_path, Path(scratch.name))
        if not any(folder.glob("*config.json")):
            raise StorageError("holds no model", where=f"{self._objects.root}/{record.model_path}")
        return folder, scratch


class ReleaseFollower:
    """Polls every author's pointer in a thread of its own. What it cannot open leaves the old release serving."""

    def __init__(
        self,
        objects: ObjectStore,
        open_release: Callable[[Release], Released],
        *,
        every: float = 1.0,
        retry: float = 30.0,
    ) -> None:
        self._objects = objects
        self._open = open_release
        self._every = every
        self._retry = retry
        self._seen: dict[str, bytes] = {}
        self._failed_at: dict[str, float] = {}
        self._current: dict[str, Released] = {}
        self._polled = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="release-follower", daemon=True)

    @property
    def ready(self) -> bool:
        """Whether every pointer has been looked at and at least one release can answer."""
        return self._polled and bool(self._current)

    @property
    def current(self) -> dict[str, Released]:
        """The releases being served, by author. The dictionary is replaced, never changed: keep it for one request."""
        return self._current

    @property
    def known(self) -> frozenset[str]:
        """Authors that have a pointer, served or not."""
        return frozenset(self._seen)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what is open stays open."""
        self._stop.set()
        self._thread.join(timeout=5)

    def poll(self) -> None:
        """Look at every pointer once and open what is new."""
        paths = [path for path in self._objects.list("releases") if path.endswith(_POINTER)]
        for path in paths:
            self._look_at(path)
        self._polled = True

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self.poll()
            except Exception:  # the thread must outlive whatever a store raises
                _logger.exception("the release pointers cannot be read; what is served stays")
            self._stop.wait(self._every)

    def _look_at(self, path: str) -> None:
        author = path.split("/")[-2]
        pointer = self._objects.find(path)
        if pointer is None or (pointer == self._seen.get(author) and not self._due_again(author)):
            return
        self._seen[author] = pointer
        self._failed_at.pop(author, None)
        try:
            self._serve(_parsed(path, pointer, author))
        except Exception as error:  # whatever is wrong with a release, the old one goes on serving
            self._failed_at[author] = time.monotonic()
            traced = None if isinstance(error, TwinError) else error
            _logger.error("a release of %s is not served: %s", author, error, exc_info=traced)

    def _due_again(self, author: str) -> bool:
        failed_at = self._failed_at.get(author)
        return failed_at is not None and time.monotonic() - failed_at >= self._retry

    def _serve(self, record: Release) -> None:
        served = self._current.get(record.author)
        if served and served.record == record:
            return
        began = time.monotonic()
        opened = self._open(record)
        self._current = {**self._current, record.author: opened}
        seconds = time.monotonic() - began
        _logger.info("serving release %s of %s, opened in %.1f s", record.release_id, record.author, seconds)


def _parsed(path: str, pointer: bytes, author: str) -> Release:
    try:
        record = Release.model_validate_json(pointer)
    except ValidationError as error:
        raise StorageError(f"is not a release record: {error.errors()[0]['msg']}", where=path) from None
    if record.author != author:
        raise StorageError(f"points to a release of '{record.author}'", where=path)
    return record


def _check(record: Release, what: str, pinned: str, ours: str) -> None:
    if pinned != ours:
        raise ReleaseRefusedError(
            f"its {what} is not the one found here ({pinned[:12]}… instead of {ours[:12]}…)",
            where=_where(record),
            mend="Run the version that made it, or train, evaluate and release again.",
        )


def _where(record: Release) -> str:
    return f"release {record.release_id} of {record.author}"


def _labels(record: Release) -> dict[str, str]:
    return {
        "release": record.release_id,
        "model_version": record.model_version,
        "snapshot": record.snapshot,
        "dataset": record.dataset,
    }
