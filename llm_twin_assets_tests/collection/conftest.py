import asyncio
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_twin_assets.collection.connector import Connector, SourceOptions
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.collected import Collected
from llm_twin_assets.collection.engine.collector import Collector
from llm_twin_assets.collection.engine.documents import Scrubbing
from llm_twin_assets_tests.collection.contract import MAYA, policy
from llm_twin_assets_tests.collection.web import Web, local_web
from resources.http import HttpClient
from resources.warehouse import Warehouse

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Files = Mapping[str, str | bytes]


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(files: Files, name: str = "export") -> Path:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_bytes(content))
        return root

    return write


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    def write(files: Files, name: str = "export.zip") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
            for path, content in files.items():
                file.writestr(path, _bytes(content))
        return tmp_path / name

    return write


@pytest.fixture(params=["folder", "zip"])
def export(request: pytest.FixtureRequest, folder, archive) -> Callable[..., Path]:
    return folder if request.param == "folder" else archive


@pytest.fixture
def web() -> Iterator[Web]:
    with local_web() as site:
        yield site


@pytest.fixture
def visit(warehouse: Warehouse) -> Callable[..., Collected]:
    """One visit of the engine to one source, into the warehouse."""

    def run(
        connector: Connector[SourceOptions],
        options: SourceOptions,
        *,
        web: Web | None = None,
        now: datetime = NOW,
        scrub: tuple[str, ...] = ("secrets", "email"),
    ) -> Collected:
        async def visited() -> Collected:
            async with HttpClient(policy(web)) as http:
                known = stored.known_documents(warehouse, MAYA.key)
                gone = stored.forgotten(warehouse, MAYA.key)
                collector = Collector(MAYA, warehouse, http, Scrubbing(scrub), known, now, forgotten=gone)
                return await collector.visit(connector, options)

        return asyncio.run(visited())

    return run


@pytest.fixture
def git() -> Callable[..., str]:
    def run(folder: Path, *arguments: str, date: str = "2024-05-01T10:00:00+00:00") -> str:
        environment = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(folder),
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }
        who = ["-c", "user.name=Maya", "-c", "user.email=maya@example.com", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    return run
