"""The BentoML service `Twin`: `bentoml serve bentos.service:Twin --host 127.0.0.1 --port 8000`.

The service `Engine`, which holds the models, is started beside it, unless `serving.engine_url` says where one runs. It
reads `TWIN_HOME`, `TWIN_CONFIG` (where there is a file), `TWIN_KEYS`, `TWIN_KEYS_FILE`, `TWIN_ENGINE_KEY` and
`PHOENIX_URL` when it starts, not when it is imported.
"""

import logging
import warnings

import bentoml

from bentos.annotator import annotator_for
from bentos.api import create_app, open_up
from bentos.configuration import NO_TRACING, service_settings
from bentos.desk import Desk
from bentos.door import Door
from bentos.engine_service import Engine, neighbour
from bentos.follower import ReleaseFollower
from bentos.listening import check_address
from bentos.metrics import ServiceMetrics, shared_folder
from bentos.model_leases import EngineAddress, ModelLeases
from bentos.releases import ReleaseOpener
from bentos.respawn import respawn_workers
from resources.api_keys import keyring
from resources.object_store import ObjectStore
from resources.pseudonyms import Pseudonyms
from resources.settings import Environment
from resources.tracing import tracer_for

# BentoML's supervisor starts its worker by fork and exec, which lancedb's warning about fork alone does not concern.
warnings.filterwarnings("ignore", message="lancedb fork support", category=RuntimeWarning)

app = create_app()


# Workers scale with the processors (docs/deploying.md): none holds a model, and each follows the pointers for itself.
# BentoML's own metrics would stand before our door and keep a time series for every path that anybody makes up: ours is
# /metrics (docs/adr/0029). Whether `Engine` is ready is no question of ours: without it the author is quoted.
@bentoml.service(
    name="Twin",
    workers=1,
    traffic={"timeout": 120},
    metrics={"enabled": False},
    runner_probe={"enabled": False},
    tracing=NO_TRACING,
)
@bentoml.asgi_app(app)
class Twin:
    """Answers as the released twins do."""

    # Named for BentoML, which starts it beside this one; it is asked over its own interface.
    engine = bentoml.depends(Engine)

    def __init__(self) -> None:
        # BentoML configures its own logger alone.
        logging.getLogger("bentos").setLevel(logging.INFO)
        environment = Environment.current()
        settings = service_settings(environment)
        door = Door(keyring(environment), settings.access)
        check_address(keys_needed=door.needs_keys)
        address = settings.serving.engine_url or neighbour()
        self._models = ModelLeases(EngineAddress.of(address), settings.serving) if address else None
        self._tracer = tracer_for(environment.phoenix_url, settings.tracing)
        objects = ObjectStore(environment.under("objects"))
        self._releases = ReleaseFollower(
            objects,
            ReleaseOpener(environment, settings, self._models.open if self._models else None).open,
            warm=settings.serving.warm,
        )
        self._annotator = annotator_for(environment.phoenix_url, words=not settings.tracing.hides_words)
        desk = Desk(
            self._releases,
            settings.serving,
            self._tracer,
            annotator=self._annotator,
            pseudonyms=Pseudonyms(objects),
            metrics=ServiceMetrics(
                shared_folder(),
                bentoml.server_context.worker_index,
                self._models.metrics if self._models else None,
            ),
        )
        open_up(app, desk, door)
        # Models load in the follower's thread: the port answers at once, and /readyz says when questions may come.
        self._releases.start()
        app.state.drain.before_stop(settings.access.deadline_seconds)

    async def __is_ready__(self) -> bool:
        # Asynchronous: a thread to run it in might be waiting for a model.
        return self._releases.ready and not app.state.drain.begun

    before_workers = bentoml.on_deployment(respawn_workers)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Let go: take no more work, stop following, send the last traces."""
        app.state.pools.close()
        if self._models:
            self._models.close()
        self._releases.stop()
        self._tracer.close()
        self._annotator.close()
