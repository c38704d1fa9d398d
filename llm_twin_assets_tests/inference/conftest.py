from pathlib import Path

import pytest

from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.lance_store import LanceVectorStore
from resources.vector_store import Index


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder("sentence-transformers/all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_twin.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Index:
    home = tmp_path_factory.mktemp("home")
    tiny_twin.embed_documents(home, embedder)
    return LanceVectorStore(str(home / "embedded")).open(tiny_twin.AUTHOR, tiny_twin.SNAPSHOT)
