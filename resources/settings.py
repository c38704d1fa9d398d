"""`twin.yaml` and the environment, read on demand and checked key by key.

Nothing here is read at import: callers ask for `Settings.load()` or `Environment.current()` when they need it.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from resources.access_settings import Access
from resources.dataset_settings import Dataset as Dataset
from resources.errors import ConfigurationError
from resources.evaluation_settings import Evaluation as Evaluation
from resources.llm_settings import Preference, RewritingModel, Teacher
from resources.monitoring_settings import Monitoring as Monitoring
from resources.release_settings import Releasing
from resources.section import Section
from resources.serving_settings import Serving as Serving
from resources.tracing_settings import Tracing
from resources.training_settings import Training
from resources.upkeep_settings import Upkeep
from resources.yaml_source import YamlSource

# Partition keys, folder names, Lance table names and MLflow model names are made of it.
AuthorKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,38}$")]


# Every kind but `presidio` is built in; that one needs the extra of its name.
ScrubKind = Literal["secrets", "email", "phone", "address", "payment", "national_id", "presidio"]


class Source(BaseModel):
    """One place of one author. What else it may hold depends on the platform; its connector checks that."""

    model_config = ConfigDict(frozen=True, extra="allow")

    platform: str

    @property
    def options(self) -> dict[str, object]:
        """The keys beside `platform`, as written."""
        return dict(self.model_extra or {})


class Author(Section):
    """A person with a twin.

    `emails` are those of the author's commits; `public` is what scrubbing leaves in (an address on one's own site).
    """

    name: str
    emails: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    sources: tuple[Source, ...] = Field(min_length=1)


class Http(Section):
    """How politely others' servers are asked. `allowed` hosts (`host` or `host:port`) may be on a private network."""

    contact: str | None = None
    requests_per_second: float = Field(default=1.0, gt=0)
    concurrency_per_host: int = Field(default=2, ge=1, le=32)
    timeout: float = Field(default=60.0, gt=0)
    max_mb: int = Field(default=32, ge=1)
    allowed: tuple[str, ...] = ()


class Collection(Section):
    """When and how sources are collected.

    `schedule` is for every platform that `schedules` does not name; `jitter_minutes` spreads the platforms after it.
    """

    schedule: str = "17 5 * * *"
    schedules: dict[str, str] = Field(default_factory=dict)
    jitter_minutes: int = Field(default=45, ge=0, le=720)
    scrub: tuple[ScrubKind, ...] = ("secrets", "email", "phone", "address", "payment", "national_id")
    http: Http = Http()


class Extract(Section):
    """How web pages become Markdown."""

    backend: Literal["cascade", "newspaper"] = "cascade"


class Chunking(Section):
    """Size of a chunk in the embedding model's own tokens, its context included.

    `overlap` is how many tokens at most a chunk repeats of the one before it in the same section or definition.
    """

    max_tokens: int = Field(default=220, ge=32, le=8192)
    overlap: int = Field(default=0, ge=0, le=2048)

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> Self:
        if self.overlap * 3 > self.max_tokens:
            raise ValueError("overlap is at most a third of max_tokens")
        return self


class Embedding(Section):
    """Which sentence-transformers model turns chunks and questions into vectors, and what runs it.

    `auto` is what was measured to be fastest on this machine among what finds the neighbours that torch finds in
    float32 (docs/adr/0010); `batch_size` is torch's.
    """

    model: str = "sentence-transformers/all-MiniLM-L6-v2"
    revision: str | None = None
    batch_size: int = Field(default=32, ge=1)
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class Rerank(Section):
    """A cross-encoder that reads question and chunk together and orders the best `candidates` again."""

    model: str | None = None
    revision: str | None = None
    candidates: int = Field(default=30, ge=2, le=200)


class Rewriting(Section):
    """What a chat model makes of a question before it is searched for."""

    method: Literal["none", "rewrite", "expand", "hyde"] = "none"
    llm: RewritingModel | None = None

    @model_validator(mode="after")
    def _has_who_rewrites(self) -> Self:
        if self.method != "none" and self.llm is None:
            raise ValueError("a method needs llm: url and model of who rewrites")
        return self


class Retrieval(Section):
    """How the list by meaning (vectors) and the list by words (BM25) are made, fused and finished.

    `candidates` is the length of either list. `fusion` by scores or by ranks, with `rank_constant` as the k of
    reciprocal rank fusion (60: Cormack, Clarke and Büttcher, SIGIR 2009). `per_document` chunks of one document come
    back at most. `section_characters` is how much of a section is joined around a chunk found; 0 leaves chunks alone.
    """

    candidates: int = Field(default=60, ge=1, le=1000)
    fusion: Literal["scores", "ranks"] = "scores"
    rank_constant: int = Field(default=60, ge=1)
    dense_weight: float = Field(default=1.0, ge=0)
    text_weight: float = Field(default=1.0, ge=0)
    per_document: int = Field(default=3, ge=1)
    section_characters: int = Field(default=0, ge=0, le=100_000)
    rerank: Rerank = Rerank()
    rewriting: Rewriting = Rewriting()


class Settings(Section):
    """All of `twin.yaml`."""

    authors: dict[AuthorKey, Author] = Field(min_length=1)
    collection: Collection = Collection()
    extract: Extract = Extract()
    chunking: Chunking = Chunking()
    embedding: Embedding = Embedding()
    retrieval: Retrieval = Retrieval()
    dataset: Dataset = Dataset()
    teacher: Teacher | None = None
    preference: Preference = Preference()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    serving: Serving = Serving()
    access: Access = Access()
    tracing: Tracing = Tracing()
    monitoring: Monitoring = Monitoring()
    release: Releasing = Releasing()
    upkeep: Upkeep = Upkeep()

    @model_validator(mode="after")
    def _teacher_is_named(self) -> Self:
        if self.preference.rejected_by == "teacher" and self.teacher is None:
            raise ValueError("preference.rejected_by: teacher needs teacher: url and model")
        return self

    @classmethod
    def load(cls, path: Path | None = None) -> "Settings":
        """Read and check `twin.yaml`; raises `ConfigurationError` naming file, line and key."""
        source = YamlSource.read(path or Environment.current().config)
        try:
            return cls.model_validate(source.value)
        except ValidationError as error:
            raise source.configuration_error(error, known=_keys(cls)) from None

    def author(self, key: str) -> Author:
        """The author of that key; raises `ConfigurationError` if `twin.yaml` has none."""
        if author := self.authors.get(key):
            return author
        known = ", ".join(sorted(self.authors))
        raise ConfigurationError(f"there is no author '{key}' in twin.yaml", mend=f"Known authors: {known}.")


def _keys(section: type[BaseModel]) -> list[str]:
    """Every key that `twin.yaml` may hold, at any depth: a key is as easily put into the wrong section as misspelt."""
    keys = list(section.model_fields)
    for field in section.model_fields.values():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                keys += _keys(inner)
    return keys


class Environment(BaseModel):
    """Where things are on this machine; every value has a local default."""

    model_config = ConfigDict(frozen=True)

    home: str
    config: Path
    service_url: str
    phoenix_url: str

    @classmethod
    def current(cls) -> "Environment":
        """Read `TWIN_HOME`, `TWIN_CONFIG`, `TWIN_SERVICE_URL` and `PHOENIX_URL`."""
        home = os.environ.get("TWIN_HOME", ".twin")
        return cls(
            home=home if "://" in home else str(Path(home).expanduser().resolve()),
            config=Path(os.environ.get("TWIN_CONFIG", "twin.yaml")).expanduser().resolve(),
            service_url=os.environ.get("TWIN_SERVICE_URL", "http://127.0.0.1:8000"),
            phoenix_url=os.environ.get("PHOENIX_URL", "http://127.0.0.1:6006"),
        )

    def under(self, *parts: str) -> str:
        """A path or URI below the home."""
        return "/".join((self.home.rstrip("/"), *parts))

    def local(self, *parts: str) -> Path:
        """A folder of this machine below the home; raises `ConfigurationError` where the home is a bucket."""
        if "://" in self.home:
            raise ConfigurationError(
                f"'{'/'.join(parts)}' needs a local folder but TWIN_HOME is {self.home}",
                mend="Set the server's own address instead (MLFLOW_TRACKING_URI, DAGSTER_HOME).",
            )
        return Path(self.home, *parts)

    def cache(self, part: str) -> Path:
        """A folder of this machine for what can be made again: below the home, or the user's cache for a bucket."""
        if "://" not in self.home:
            return Path(self.home, part)
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "llm-twin", part)
