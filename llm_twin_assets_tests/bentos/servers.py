"""Real servers for tests: started on free ports, stopped whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from fastapi import FastAPI

from resources.tls import trusted

SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process group of its own, so that its workers end with it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


@contextmanager
def in_thread(app: FastAPI) -> Iterator[str]:
    """The app behind a real port of this process."""
    import uvicorn

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/openapi.json")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(SECONDS)


def wait_for(url: str, status: int = 200) -> None:
    """Until the address answers with that status."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5, verify=trusted()).status_code == status:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer {status} within {SECONDS} s")


def wait_until(so: Callable[[], bool]) -> None:
    """Until it is so."""
    deadline = time.monotonic() + SECONDS
    while not so():
        assert time.monotonic() < deadline, f"not so within {SECONDS} s"
        time.sleep(0.05)


def process_of(url: str, service: str) -> psutil.Process:
    """The worker of one of the BentoML services that were started with the one at this address."""
    port = httpx.URL(url).port
    supervisor = next(each for each in psutil.process_iter() if {"serve", str(port)} <= set(_command(each)))
    return next(each for each in supervisor.children() if service in _command(each))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # gone since, or somebody else's
        return []


@contextmanager
def phoenix(folder: Path) -> Iterator[str]:
    """A Phoenix on SQLite, alone on this machine."""
    port, grpc = free_port(), free_port()
    environment = {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc),
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        "PHOENIX_AGENTS_DISABLE_BASH": "true",
        "PHOENIX_ENABLE_MCP_SERVER": "false",
    }
    url = f"http://127.0.0.1:{port}"
    with running(["phoenix.server.main", "serve"], environment, folder / "phoenix.log"):
        wait_for(f"{url}/healthz")
        yield url


@contextmanager
def service(home: Path, phoenix_url: str, log: Path) -> Iterator[str]:
    """The BentoML service on a home; yielded as soon as its port answers, ready or not."""
    port = free_port()
    environment = {
        "TWIN_HOME": str(home),
        "TWIN_CONFIG": str(home / "none.yaml"),
        "PHOENIX_URL": phoenix_url,
        "BENTOML_DO_NOT_TRACK": "true",
        # As in BentoML's images: what is tested of workers that die holds there.
        "BENTOML_CONTAINERIZED": "true",
    }
    url = f"http://127.0.0.1:{port}"
    command = ["bentoml", "serve", "bentos.service:Twin", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, environment, log):
        wait_for(f"{url}/livez")
        yield url


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return
