"""Starting the servers that a twin needs, on this machine alone, and stopping every one of them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from llm_twin_assets.instance import dagster_home
from resources.errors import TwinError
from resources.settings import Environment
from resources.tls import trusted

# Seconds that a server gets to end by itself.
_PATIENCE = 10


class ServerError(TwinError):
    """A server did not come up."""


def server_environment(
    environment: Environment, *, phoenix_port: int | None = None, phoenix_grpc_port: int = 4317
) -> dict[str, str]:
    """The environment of every server: ours to find each other, theirs to stay on this machine and silent.

    Each server's switches are those that its documentation names for telemetry, outside resources and remote execution.
    """
    home = environment.local()
    (home / "phoenix").mkdir(parents=True, exist_ok=True)
    (home / "mlflow").mkdir(parents=True, exist_ok=True)
    scripts = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join((scripts, os.environ.get("PATH", ""))),
        "PYTHONUNBUFFERED": "1",
        "TWIN_HOME": environment.home,
        "TWIN_CONFIG": str(environment.config),
        "PHOENIX_URL": f"http://127.0.0.1:{phoenix_port}" if phoenix_port else environment.phoenix_url,
        "DAGSTER_HOME": str(dagster_home(environment)),
        "BENTOML_DO_NOT_TRACK": "true",
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{home}/mlflow/mlflow.db",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": str(home / "mlflow" / "artifacts"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(phoenix_port or 6006),
        "PHOENIX_GRPC_PORT": str(phoenix_grpc_port),
        "PHOENIX_WORKING_DIR": str(home / "phoenix"),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        "PHOENIX_AGENTS_DISABLE_BASH": "true",
        "PHOENIX_AGENTS_DISABLE_WEB_ACCESS": "true",
        "PHOENIX_AGENTS_DISABLE_GITHUB": "true",
        "PHOENIX_ENABLE_MCP_SERVER": "false",
        "PHOENIX_ALLOWED_SANDBOX_PROVIDERS": "NONE",
    }


@contextmanager
def server(
    name: str, command: Sequence[str], ready_url: str, environment: Mapping[str, str], log: Path, seconds: float = 120
) -> Iterator[None]:
    """A server that answers `ready_url` with 200 inside the block, and is gone after it, children included."""
    with log.open("wb") as output:
        # A group of its own: the server's workers are stopped with it.
        process = subprocess.Popen(
            list(command), env=dict(environment), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(name, process, ready_url, log, seconds)
        yield
    finally:
        _stop(process)


def free_port(preferred: int) -> int:
    """The preferred port of 127.0.0.1 if it is free, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerError("no free port on 127.0.0.1")


def answers(url: str) -> bool:
    """Whether a server answers this URL with success."""
    try:
        return httpx.get(url, timeout=2, verify=trusted()).is_success
    except httpx.TransportError:
        return False


def _wait(name: str, process: subprocess.Popen[bytes], url: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"{name} ended with code {process.returncode}", mend=f"Its log is {log}.")
        if answers(url):
            return
        time.sleep(0.3)
    raise ServerError(f"{name} was not ready within {seconds:.0f} s", mend=f"Its log is {log}.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            break
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait()
