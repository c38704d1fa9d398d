"""The service as it is, but for its model, which answers at once: what is left is the service's own time.

bentoml serve llm_twin_assets_tests.benchmarks.instant_service:Instant
"""

import bentoml

from bentos.api import create_app, open_up
from bentos.configuration import NO_TRACING, service_settings
from bentos.desk import Desk
from bentos.follower import ReleaseFollower
from bentos.releases import ReleaseOpener
from llm_twin_assets_tests.bentos.scripted import Scripted
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.tracing import NoTracer

app = create_app()


@bentoml.service(name="Instant", workers=1, traffic={"timeout": 120}, metrics={"enabled": False}, tracing=NO_TRACING)
@bentoml.asgi_app(app)
class Instant:
    """Answers with a sentence of one of the documents."""

    def __init__(self) -> None:
        environment = Environment.current()
        settings = service_settings(environment)
        opener = ReleaseOpener(environment, settings, lambda _: Scripted())
        self._releases = ReleaseFollower(ObjectStore(environment.under("objects")), opener.open)
        open_up(app, Desk(self._releases, settings.serving, NoTracer()))
        self._releases.start()

    async def __is_ready__(self) -> bool:
        return self._releases.ready
