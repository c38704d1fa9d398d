"""Fixtures that every part of the suite shares."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def pytest_configure() -> None:
    """Hear Ctrl-C also where a shell started the tests in the background, which ignores it for them.

    Dagster puts SIGINT's handling in the place of SIGTERM's; what tests start would then outlive both.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Look for garbage more rarely than after each 700 objects: tests import and make many that stay.
    gc.set_threshold(10_000, 20, 20)
    # Of a property, not of the machine: an example that takes longer than .2 s on a busy one is no failure.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    # Where a machine keeps no compiled modules, every run would rewrite the assertions of all tests, and each of the
    # hundred processes that they start would compile us anew: 12 s of a processor, and half a second each.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what may take longest, which a file says by its timeout: at the end, all would wait for it."""

    def seconds(item: pytest.Item) -> float:
        timeout = item.get_closest_marker("timeout")
        return float(timeout.args[0]) if timeout and timeout.args else 0.0

    items.sort(key=seconds, reverse=True)


def pytest_collection_finish() -> None:
    """What is loaded by now stays, and is looked through for garbage no more."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Look for garbage among what a file made, not again and again among all that is loaded: .1 of the time."""
    yield
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the developer's own twin."""
    for name in (
        "TWIN_CONFIG", "DAGSTER_HOME", "MLFLOW_TRACKING_URI", "PHOENIX_URL", "TWIN_SERVICE_URL", "TWIN_VECTOR_STORE",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TWIN_HOME", str(tmp_path / "home"))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path / "home" / "objects"))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(str(tmp_path / "home" / "warehouse"))


def cleaned(
    name: str,
    text: str,
    category: Category = Category.ARTICLE,
    *,
    author: str = "maya",
    title: str | None = None,
    code_language: str | None = None,
) -> CleanedDocument:
    """A cleaned document with a stable identity."""
    return CleanedDocument(
        document_id=document_id(author, name),
        author=author,
        platform="files",
        category=category,
        url=f"https://example.com/{name}",
        title=title or name,
        text=text,
        language=None if category is Category.CODE else "en",
        code_language=code_language,
        repository=None,
        path=None,
        published_at=NOW,
        words=len(text.split()),
        content_hash=content_hash(name, text),
        raw_hash=content_hash(text),
        cleaner="test",
    )
