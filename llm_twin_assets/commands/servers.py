"""Where the servers of `twin up` are, and which of them answer."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from resources.settings import Environment

DAGSTER = "http://127.0.0.1:3000"
MLFLOW = "http://127.0.0.1:5000"
EXPORTER = "http://127.0.0.1:9464"

# Seconds: a server of this machine that takes longer is as good as none to who looks at a screen.
_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server and what it said; `ready` if it can do what it is there for."""

    name: str
    url: str
    said: str
    ready: bool


def addresses(environment: Environment) -> dict[str, str]:
    """Every server by its name."""
    return {
        "Dagster": DAGSTER,
        "service": environment.service_url,
        "Phoenix": environment.phoenix_url,
        "MLflow": MLFLOW,
        "exporter": EXPORTER,
    }


# What each answers quickly. The exporter reads nothing for the icon that browsers ask for.
_HEALTH: Mapping[str, str] = {
    "Dagster": "/server_info",
    "service": "/readyz",
    "Phoenix": "/healthz",
    "MLflow": "/health",
    "exporter": "/favicon.ico",
}


def look(environment: Environment) -> Sequence[Server]:
    """Ask all of them at once; takes a second at most."""
    known = addresses(environment)
    with ThreadPoolExecutor(len(known)) as pool:
        return list(pool.map(lambda name: _asked(name, known[name]), known))


def _asked(name: str, url: str) -> Server:
    if not url:
        return Server(name, url, "not configured", ready=False)
    try:
        answered = httpx.get(f"{url.rstrip('/')}{_HEALTH[name]}", timeout=_PATIENCE)
    except httpx.TimeoutException:
        return Server(name, url, f"no answer within {_PATIENCE:g} s", ready=False)
    except (httpx.TransportError, httpx.InvalidURL):
        return Server(name, url, "not running", ready=False)
    if answered.is_success:
        return Server(name, url, "ready" if name == "service" else "running", ready=True)
    said = "running, but no release can answer yet" if name == "service" else f"answers {answered.status_code}"
    return Server(name, url, said, ready=False)
