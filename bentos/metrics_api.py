"""`GET /metrics` for Prometheus, and the ASGI layer that counts every request."""

import time

from fastapi import APIRouter
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bentos.errors import ApiError
from bentos.gauges import Standing
from bentos.metrics import ServiceMetrics
from bentos.visit import Visiting

# A request that no route took: turned away at the gate, or to an address that is not ours.
_UNROUTED = "none"

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(visit: Visiting) -> Response:
    """What Prometheus scrapes; it names every author, so a key for some of them does not open it."""
    visit.caller.check_may("metrics")
    if visit.caller.authors is not None:
        raise ApiError(403, "forbidden", "metrics name every author: they need a key that is for all")
    standing = Standing(visit.desk.releases, visit.pools, visit.desk.tracer)
    return Response(visit.desk.metrics.exposition(standing), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class Counted:
    """Stands before the gate, so that who is turned away is counted, too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; other kinds of connection, and what comes before the service is open, are not counted."""
        metrics = getattr(scope["app"].state, "metrics", None) if scope["type"] == "http" else None
        if not isinstance(metrics, ServiceMetrics):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            # A route is its template: `/v1/models/{model}`, whatever the model.
            route = getattr(scope.get("route"), "path", _UNROUTED)
            metrics.requested(route, status, time.perf_counter() - began)
