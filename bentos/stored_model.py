"""A released model as it lies in the store: loaded only if it is the one that its digest names."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bentos.pins import check_pin, where
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.engine import Sampling
from llm_twin_assets.inference.opening import transformers_engine
from llm_twin_assets.inference.prompts import messages
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from resources.errors import StorageError
from resources.folder_digest import folder_digest
from resources.object_store import ObjectStore
from resources.serving_settings import Serving

ModelDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# Below the store's root and nowhere else, whoever asks.
_Path = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")]


class StoredModel(BaseModel):
    """Where a model lies and what it has to be; `name` is for traces, `place` for errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: _Path
    digest: ModelDigest
    name: str = Field(max_length=200)
    place: str = Field(max_length=200)

    @classmethod
    def of(cls, record: Release) -> Self:
        """That of a release."""
        name = f"{record.model_name}/{record.model_version}"
        return cls(path=record.model_path, digest=record.model_digest, name=name, place=where(record))


class ModelLoader:
    """Loads models from the store into this process."""

    def __init__(self, objects: ObjectStore, serving: Serving) -> None:
        self._objects = objects
        self._serving = serving

    def load(self, model: StoredModel) -> TransformersEngine:
        """The model, having written a word; raises `TwinError` if it must not or cannot be."""
        # What was copied from a bucket is not needed once it is loaded: the weights are in memory, or mapped.
        with TemporaryDirectory(prefix="twin-model-") as scratch:
            folder = self._objects.local_folder(model.path, Path(scratch))
            if not any(folder.glob("*config.json")):
                raise StorageError("holds no model", where=f"{self._objects.root}/{model.path}")
            check_pin(model.place, "model", model.digest, folder_digest(folder))
            engine = transformers_engine(self._serving, folder, model.name)
        # What is slow only once, or fails only when used, should be so before anybody asks.
        engine.generate(messages("Hello", author_name="a twin"), Sampling(2))
        return engine
