"""The vector store in use: a server that `TWIN_VECTOR_STORE` names, else LanceDB below the home."""

import os

from resources.errors import ConfigurationError
from resources.vector_store import VectorStore


def vector_store(embedded: str) -> VectorStore:
    """The store that the environment names now; `embedded` is where LanceDB keeps its tables, a folder or a URI."""
    # Imported here: whoever uses one store does not need the other's packages.
    address = os.environ.get("TWIN_VECTOR_STORE", "")
    if address.startswith(("weaviate://", "weaviates://")):
        from resources.weaviate_store import WeaviateVectorStore

        return WeaviateVectorStore.at(address)
    if address in ("", "lancedb"):
        from resources.lance_store import LanceVectorStore

        return LanceVectorStore(embedded)
    raise ConfigurationError(
        f"'{address}' names no vector store",
        where="TWIN_VECTOR_STORE",
        mend="Leave it out for LanceDB, or write weaviate://host:8080?grpc=50051.",
    )
