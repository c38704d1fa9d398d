"""The models of the service `Engine`: each is loaded while somebody leases it.

A lease ends when it is given back or not renewed: what a caller that died held is free some time later (Gray and
Cheriton, "Leases", SOSP 1989).
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from bentos.stored_model import StoredModel
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from resources.errors import TwinError

_logger = logging.getLogger(__name__)

# How long a lease holds without being renewed. Seconds.
LEASE_SECONDS = 60.0


class ModelNotLoadedError(TwinError):
    """A model that cannot be loaded here."""


@dataclass(slots=True)
class _Kept:
    loading: "Future[TransformersEngine]"
    leases: dict[str, float] = field(default_factory=dict)


class ModelHost:
    """Loads one model at a time, in a thread of its own. Who asks a model keeps it until its answer is given."""

    def __init__(
        self,
        load: Callable[[StoredModel], TransformersEngine],
        *,
        seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="model-loader")

    def lease(self, model: StoredModel, lease: str) -> TransformersEngine | None:
        """Take or renew a lease: the model, or None while it is being loaded; raises `ModelNotLoadedError`."""
        with self._lock:
            self._expire()
            kept = self._kept.get(model.digest)
            if kept is None:
                kept = self._kept[model.digest] = _Kept(self._loader.submit(self._loaded, model))
            kept.leases[lease] = self._clock() + self._seconds
            if not kept.loading.done():
                return None
            if error := kept.loading.exception():
                # Whoever asks again has it tried again.
                del self._kept[model.digest]
                raise ModelNotLoadedError(str(error)) from error
            return kept.loading.result()

    def give_back(self, digest: str, lease: str) -> None:
        """End a lease; the model goes with its last one."""
        with self._lock:
            if kept := self._kept.get(digest):
                kept.leases.pop(lease, None)
            self._expire()

    def find(self, digest: str) -> TransformersEngine | None:
        """The model, if it is loaded."""
        with self._lock:
            self._expire()
            kept = self._kept.get(digest)
        ready = kept is not None and kept.loading.done() and kept.loading.exception() is None
        return kept.loading.result() if kept is not None and ready else None

    @property
    def leased(self) -> tuple[str, ...]:
        """The models that somebody leases now."""
        with self._lock:
            self._expire()
            return tuple(self._kept)

    def close(self) -> None:
        """Load nothing more."""
        self._loader.shutdown(wait=False, cancel_futures=True)

    def _expire(self) -> None:
        now = self._clock()
        for digest, kept in list(self._kept.items()):
            kept.leases = {lease: ends for lease, ends in kept.leases.items() if ends > now}
            if not kept.leases:
                del self._kept[digest]
                kept.loading.cancel()
                _logger.info("model %s… is let go", digest[:12])

    def _loaded(self, model: StoredModel) -> TransformersEngine:
        began = time.monotonic()
        try:
            engine = self._load(model)
        except TwinError:
            raise
        except Exception as error:  # what torch raises for a model that does not fit, and whatever a damaged one does
            _logger.exception("model %s cannot be loaded", model.name)
            raise ModelNotLoadedError(f"it cannot be loaded ({type(error).__name__})", where=model.place) from error
        _logger.info("model %s (%s…) is loaded in %.1f s", model.name, model.digest[:12], time.monotonic() - began)
        return engine
