"""The BentoML service `Twin`: `bentoml serve bentos.service:Twin --host 127.0.0.1 --port 8000`.

It reads `TWIN_HOME`, `TWIN_CONFIG` (where there is a file), `TWIN_KEYS`, `TWIN_KEYS_FILE` and `PHOENIX_URL` when it
starts, not when it is imported.
"""

import logging
import warnings

import bentoml

from bentos.api import create_app, open_up
from bentos.configuration import service_settings
from bentos.desk import Desk
from bentos.door import Door
from bentos.follower import ReleaseFollower
from bentos.listening import check_address
from bentos.releases import ReleaseOpener
from resources.api_keys import keyring
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.tracing import tracer_for

# BentoML's supervisor starts its worker by fork and exec, which lancedb's warning about fork alone does not concern.
warnings.filterwarnings("ignore", message="lancedb fork support", category=RuntimeWarning)

app = create_app()


# One worker holds one copy of the model; more workers are more copies, each following the pointers for itself.
@bentoml.service(name="Twin", workers=1, traffic={"timeout": 120})
@bentoml.asgi_app(app)
class Twin:
    """Answers as the released twins do."""

    def __init__(self) -> None:
        # BentoML configures its own logger alone.
        logging.getLogger("bentos").setLevel(logging.INFO)
        environment = Environment.current()
        settings = service_settings(environment)
        door = Door(keyring(environment), settings.access)
        check_address(keys_needed=door.needs_keys)
        self._tracer = tracer_for(environment.phoenix_url)
        self._releases = ReleaseFollower(
            ObjectStore(environment.under("objects")),
            ReleaseOpener(environment, settings).open,
            warm=settings.serving.warm,
        )
        open_up(app, Desk(self._releases, settings.serving, self._tracer), door)
        # Models load in the follower's thread: the port answers at once, and /readyz says when questions may come.
        self._releases.start()

    async def __is_ready__(self) -> bool:
        # Asynchronous: a thread to run it in might be waiting for a model.
        return self._releases.ready

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Let go: take no more work, stop following, send the last traces."""
        app.state.pools.close()
        self._releases.stop()
        self._tracer.close()
