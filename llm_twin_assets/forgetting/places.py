"""Where something may be left of a document."""

from dataclasses import dataclass

from resources.object_store import ObjectStore
from resources.registry import Registry, registry_of
from resources.settings import Environment
from resources.vector_store import VectorStore
from resources.vector_stores import vector_store
from resources.warehouse import Warehouse


@dataclass(frozen=True)
class Places:
    """The stores of a home, and its folders for what can be made again."""

    warehouse: Warehouse
    objects: ObjectStore
    vectors: VectorStore
    registry: Registry
    environment: Environment

    @classmethod
    def of(cls, environment: Environment) -> "Places":
        """Those that the environment names."""
        return cls(
            Warehouse(environment.under("warehouse")),
            ObjectStore(environment.under("objects")),
            vector_store(environment.under("embedded")),
            registry_of(environment),
            environment,
        )
