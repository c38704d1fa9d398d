from pathlib import Path

import pytest

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
