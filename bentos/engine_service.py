"""The BentoML service `Engine`: the released models, for `Twin` and nobody else.

`bentoml serve bentos.service:Twin` starts it beside; `bentoml serve bentos.engine_service:Engine` starts it alone, on a
machine with a GPU say. It reads `TWIN_HOME`, `TWIN_CONFIG` and `TWIN_ENGINE_KEY` when it starts.
"""

import hashlib
import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

import bentoml

from bentos.configuration import NO_TRACING, service_settings
from bentos.door import Door
from bentos.engine_api import create_engine_app, open_engine
from bentos.listening import check_address
from bentos.model_host import ModelHost
from bentos.model_leases import KEY_VARIABLE
from bentos.respawn import respawn_workers
from bentos.stored_model import ModelLoader
from resources.access_settings import Access
from resources.api_keys import Keyring
from resources.object_store import ObjectStore
from resources.settings import Environment

engine_app = create_engine_app()

# A prompt is as long as a model's context, and `Twin` counts who asks how often.
_ACCESS = Access(max_request_kb=16_384)
_NO_LIMIT = 10**9


# One worker: more are more copies of every model. `services.Engine.resources.gpu` in BentoML's configuration gives it
# GPUs of its own; without, it takes what CUDA shows it.
@bentoml.service(
    name="Engine",
    workers=1,
    traffic={"timeout": 120},
    metrics={"enabled": False},
    # Leases are renewed all the time, and whatever is asked here is in the log of `Twin`.
    logging={"access": {"enabled": False}},
    tracing=NO_TRACING,
)
@bentoml.asgi_app(engine_app)
class Engine:
    """Holds the models that are leased, and lets them write."""

    def __init__(self) -> None:
        logging.getLogger("bentos").setLevel(logging.INFO)
        environment = Environment.current()
        serving = service_settings(environment).serving
        door = Door(engine_keyring(), _ACCESS)
        self._host = ModelHost(ModelLoader(ObjectStore(environment.under("objects")), serving).load)
        open_engine(engine_app, self._host, serving, door)
        if bentoml.server_context.service_type == "entry_service":
            check_address(keys_needed=door.needs_keys, mend=f"Set {KEY_VARIABLE} here and where `Twin` runs.")
            engine_app.state.drain.before_stop(serving.deadline_seconds)
        else:
            # As a neighbour it listens at a socket in a folder that is theirs alone (and inherits others' sockets), and
            # both are stopped at once: `Twin` has to end what it began.
            engine_app.state.drain.before_stop(serving.deadline_seconds, lambda: bool(self._host.leased))

    before_workers = bentoml.on_deployment(respawn_workers)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Let go: begin nothing more."""
        engine_app.state.pool.close()
        self._host.close()


def neighbour() -> str | None:
    """Where BentoML started this service beside another one; None where it did not, as with `--development`."""
    service: Any = Engine  # what the decorator made of it
    address: str | None = service.url
    return address


def engine_keyring() -> Keyring:
    """The one key, of which nothing but its digest is kept; none is needed where there is none."""
    if not (token := os.environ.get(KEY_VARIABLE)):
        return Keyring()
    key = {
        "name": "twin",
        "sha256": hashlib.sha256(token.encode()).hexdigest(),
        "requests_per_minute": _NO_LIMIT,
        "created_at": datetime.now(UTC).isoformat(),
    }
    return Keyring(text=json.dumps([key]))
