from collections.abc import Iterator
from pathlib import Path

import pytest

from bentos.desk import Desk
from llm_twin_assets_tests.bentos.scripted import Scripted, scripted_desk
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder("sentence-transformers/all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """Snapshots and models of two authors, none of them released yet."""
    home = tmp_path_factory.mktemp("home")
    for author in ("maya", "ben"):
        tiny_twin.embed_documents(home, embedder, author)
    tiny_twin.write_model(home / "objects" / "models" / "tiny")
    tiny_twin.write_model(home / "objects" / "models" / "other", seed=1)
    return home


@pytest.fixture(scope="session")
def desk(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Two authors' twins with one model that says what it is told; it is the fixture `engine`."""
    return scripted_desk(tmp_path_factory.mktemp("scripted"), embedder, Scripted())


@pytest.fixture
def engine(desk: Desk) -> Iterator[Scripted]:
    found = desk.released("maya").twin.engine
    assert isinstance(found, Scripted)
    found.reset()
    yield found
    # The desk is shared: what one test made slow must not be slow for those that do not ask for the engine.
    found.reset()
