"""Models leased at the service `Engine`: what `Twin` holds in place of a model of its own."""

import logging
import os
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from pydantic import ValidationError

from bentos.engine_schemas import LeaseOut
from bentos.model_host import LEASE_SECONDS
from bentos.stored_model import StoredModel
from llm_twin_assets.inference.openai_engine import Known, OpenAIEngine
from llm_twin_assets.inference.prompt_tokens import PromptTokens
from resources.errors import TwinError
from resources.llm_settings import Patience
from resources.serving_settings import Serving, ServingModel

if TYPE_CHECKING:
    import httpx

_logger = logging.getLogger(__name__)

# Both services are given it where one is not a neighbour of the other.
KEY_VARIABLE = "TWIN_ENGINE_KEY"

# Also how soon a service that was gone hears what it is to load.
_RENEW_EVERY = LEASE_SECONDS / 20
_ASK_AGAIN = 0.2
# One request about a lease; a service that starts lets it wait.
_TIMEOUT = 10.0
# What Prometheus waits for is not worth longer.
_GLANCE = 1.0
# The engine says at once that it heard, and every second that it is there; it has failed if it does not.
_SILENCE = 5.0
# So soon it is tried again whether it is back.
_PAUSE = 1.0


class EngineUnreachableError(TwinError):
    """The service `Engine` does not answer, or not as it should."""


class ModelRefusedError(TwinError):
    """A model that the service `Engine` cannot load."""


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where the service `Engine` listens; with a `socket` the URL only names it."""

    url: str
    socket: str | None = None

    @classmethod
    def of(cls, address: str) -> "EngineAddress":
        """From how BentoML names a service: `file:///a/socket`, or http."""
        parts = urlsplit(address)
        return cls("http://engine", unquote(parts.path)) if parts.scheme == "file" else cls(address.rstrip("/"))


@dataclass(frozen=True, slots=True)
class _Lease:
    client: "httpx.Client" = field(repr=False)
    model: StoredModel
    identity: str = field(default_factory=lambda: uuid4().hex)

    def take(self, *, first: bool = False) -> LeaseOut | None:
        """What is leased, None while it is being loaded; raises `EngineUnreachableError`, `ModelRefusedError`."""
        import httpx

        try:
            query = "?first=1" if first else ""
            response = self.client.put(f"{self._path}{query}", json=self.model.model_dump())
            if response.status_code == 200:
                return LeaseOut.model_validate_json(response.content)
            if response.status_code == 202:
                return None
            if response.status_code == 409:
                raise ModelRefusedError(str(response.json()["error"]["message"]))
        except (httpx.HTTPError, ValidationError, ValueError, LookupError, TypeError) as error:
            raise EngineUnreachableError(f"the engine does not answer ({type(error).__name__})") from error
        raise EngineUnreachableError(f"the engine answers {response.status_code}")

    def give_back(self) -> None:
        import httpx

        try:
            self.client.delete(self._path)
        except httpx.HTTPError as error:
            _logger.info("a lease runs out by itself: %s", type(error).__name__)

    @property
    def _path(self) -> str:
        return f"/v1/models/{self.model.digest}/leases/{self.identity}"


class ModelLeases:
    """Leases models. A lease is renewed as long as somebody here holds its engine, also when the service was gone."""

    def __init__(self, address: EngineAddress, serving: Serving, *, patience: float = 60.0) -> None:
        import httpx

        self._address = address
        self._serving = serving
        self._patience = patience
        self._closed = threading.Event()
        self._renewals: dict[threading.Thread, threading.Event] = {}
        key = os.environ.get(KEY_VARIABLE)
        self._client = httpx.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=_TIMEOUT,
            transport=httpx.HTTPTransport(uds=address.socket) if address.socket else None,
        )

    def open(self, model: StoredModel) -> OpenAIEngine:
        """The model, once it is loaded there; raises `TwinError` if it cannot be, or nobody answers for too long."""
        lease = _Lease(self._client, model)
        engine = self._engine(model, self._granted(lease))
        # The thread holds no engine, or nobody would ever be the last to let go of it.
        dropped = threading.Event()
        weakref.finalize(engine, dropped.set)
        thread = threading.Thread(target=self._renew, args=(lease, dropped), name="model-lease", daemon=True)
        self._renewals[thread] = dropped
        thread.start()
        return engine

    def metrics(self) -> bytes:
        """The engine's page for Prometheus; nothing while it does not answer."""
        import httpx

        try:
            page = self._client.get("/metrics", timeout=_GLANCE)
        except httpx.HTTPError:
            return b""
        return page.content if page.is_success else b""

    def close(self) -> None:
        """Give every lease back: nobody is answered any more."""
        self._closed.set()
        under_way = dict(self._renewals)
        for dropped in under_way.values():
            dropped.set()
        for thread in under_way:
            thread.join(timeout=_TIMEOUT)
        self._client.close()

    def _granted(self, lease: _Lease) -> LeaseOut:
        heard = time.monotonic()
        while not self._closed.is_set():
            try:
                granted = lease.take(first=True)
                heard = time.monotonic()
            except EngineUnreachableError:
                if time.monotonic() - heard > self._patience:
                    raise
            else:
                if granted is not None:
                    return granted
            self._closed.wait(_ASK_AGAIN)
        raise EngineUnreachableError("the service is stopping")

    def _renew(self, lease: _Lease, dropped: threading.Event) -> None:
        trouble = ""
        while not dropped.wait(_RENEW_EVERY):
            try:
                lease.take()
                said = ""
            except TwinError as error:
                said = str(error)
            if said != trouble:
                _logger.warning("the engine and %s: %s", lease.model.name, said or "there again")
                trouble = said
        lease.give_back()
        self._renewals.pop(threading.current_thread(), None)

    def _engine(self, model: StoredModel, granted: LeaseOut) -> OpenAIEngine:
        serving = self._serving
        patience = Patience(
            timeout=_SILENCE, deadline=serving.deadline_seconds, attempts=2, backoff=0.05, longest_wait=0.0, failures=3
        )
        endpoint = ServingModel(
            url=f"{self._address.url}/v1",
            model=model.digest,
            key_variable=KEY_VARIABLE if os.environ.get(KEY_VARIABLE) else None,
            pause_seconds=_PAUSE,
            patience=patience,
        )
        # Of these two settings has limits: a released model is as small, and as many ask it, as may be.
        measured = {"context_tokens": granted.context_tokens, "concurrency": 2 * serving.batch + serving.waiting}
        tokens = PromptTokens(granted.tokenizer) if granted.tokenizer else None
        known = Known(model.name, tokens, self._address.socket, {"pieces": False})
        return OpenAIEngine(endpoint.model_copy(update=measured), waiting=0, known=known)
