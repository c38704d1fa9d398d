"""How long a roll-back takes under load, from the command to the first answer of the old release, and what it drops.

The service is BentoML's own, in a process of its own, with clients that ask without a pause; the command is `twin
rollback`. The old release is open still, or again: a service that was started since opens the one before, too.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from llm_twin_assets_tests.benchmarks.measuring import Row
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.inference.tiny_twin import AUTHOR, embed_documents, point_to, release, write_model
from resources.embedder import Embedder

BOUND = 10.0
_CLIENTS = 3
_PATIENCE = 180.0
_QUESTION = {"question": "How should I split samples into training and test set?"}


@dataclass(slots=True)
class Load:
    """What clients were given: when, with which status, by which release."""

    answers: list[tuple[float, int, str]] = field(default_factory=list)

    def first_of(self, release_id: str) -> float:
        """When the release answered first; raises `TimeoutError` if it does not in time."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for at, status, name in list(self.answers):
                if (status, name) == (200, release_id):
                    return at
            time.sleep(0.02)
        raise TimeoutError(f"{release_id} did not answer; seen: {sorted({each[1:] for each in self.answers})}")

    @property
    def failed(self) -> int:
        """Requests that were not answered, or not with 200."""
        return sum(status != 200 for _, status, _ in self.answers)


def measure() -> list[Row]:
    """Upgrade, roll back, start the service anew, roll back again."""
    embedder = Embedder("sentence-transformers/all-MiniLM-L6-v2")
    with tempfile.TemporaryDirectory(prefix="twin-roll-back-") as folder:
        home = Path(folder)
        embed_documents(home, embedder)
        for seed, name in enumerate(("tiny", "other")):
            write_model(home / "objects" / "models" / name, seed=seed)
        point_to(home, release(embedder))
        nowhere = f"http://127.0.0.1:{servers.free_port()}"
        rows = []
        with servers.service(home, nowhere, home / "warm.log") as url, asked(url) as load:
            second = release(embedder, sequence=2, model_path="models/other")
            took = seconds(load, "maya-000002", lambda: point_to(home, second))
            rows.append(_row("upgrade, from the switch", took, load))
        with servers.service(home, nowhere, home / "cold.log") as url, asked(url) as load:
            said = home / "cold.log"
            while "is kept open" not in said.read_text(errors="replace"):
                time.sleep(0.1)
            took = seconds(load, "maya-000003", lambda: roll_back(home, "1"))
            rows.append(_row("roll-back, the service started since", took, load))
            took = seconds(load, "maya-000004", lambda: roll_back(home, "2"))
            rows.append(_row("roll-back, the old release still open", took, load))
        return rows


@contextmanager
def asked(url: str) -> Iterator[Load]:
    """Clients that ask from when the service is ready until the end of the block."""
    servers.wait_for(f"{url}/readyz")
    load, stop = Load(), threading.Event()
    threads = [threading.Thread(target=_ask, args=(url, load, stop)) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def seconds(load: Load, release_id: str, command: Callable[[], object]) -> float:
    """From the command to the first answer of the release."""
    began = time.monotonic()
    command()
    return load.first_of(release_id) - began


def roll_back(home: Path, version: str) -> None:
    """As a person types it."""
    said = ["--author", AUTHOR, "--version", version, "--approver", "a benchmark", "--reason", "the new one is worse"]
    subprocess.run(
        [str(Path(sys.executable).with_name("twin")), "rollback", *said],
        env={**os.environ, "TWIN_HOME": str(home), "TWIN_CONFIG": str(home / "none.yaml"), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
    )


def _ask(url: str, load: Load, stop: threading.Event) -> None:
    with httpx.Client(base_url=url, timeout=120) as client:
        while not stop.is_set():
            try:
                response = client.post("/v1/answer", json=_QUESTION)
                given = (response.status_code, str(response.json().get("release", "")))
            except (httpx.HTTPError, ValueError):
                given = (0, "")
            load.answers.append((time.monotonic(), *given))


def _row(what: str, took: float, load: Load) -> Row:
    return Row(
        what,
        f"{took:.1f} s to the first answer, {load.failed} of {len(load.answers)} requests failed, {_CLIENTS} clients",
        f"{BOUND:.0f} s, 0 failed",
        took <= BOUND and not load.failed,
    )
