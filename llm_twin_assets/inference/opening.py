"""A twin as twin.yaml describes it: the one place where its parts are put together."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.features.retriever import retriever_of
from llm_twin_assets.inference.batching import Batching
from llm_twin_assets.inference.caches import CachedEncoder, LruCache
from llm_twin_assets.inference.engine import Engine
from llm_twin_assets.inference.openai_engine import OpenAIEngine
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from llm_twin_assets.inference.twin import Answer, Limits, Twin
from resources.embedder import Embedder
from resources.llm import ChatModel
from resources.serving_settings import Serving
from resources.settings import Retrieval
from resources.vector_store import Index

# To mask a chunk of 800 characters takes .4 ms of processor time, and a search finds ten.
_PASSAGES = 2_000


def engine_of(serving: Serving, released: Callable[[], Engine]) -> Engine | None:
    """The engine that is configured, None where the author is to be quoted; `released` gets the released model."""
    if serving.engine == "extractive":
        return None
    if serving.engine == "openai" and serving.endpoint is not None:
        return OpenAIEngine(serving.endpoint, waiting=serving.waiting)
    return released()


def transformers_engine(serving: Serving, folder: Path, name: str) -> TransformersEngine:
    """The model of a folder in this process, batching as configured."""
    batching = Batching(
        serving.batch,
        serving.batch_window_ms / 1000,
        max(1, serving.waiting),
        serving.deadline_seconds,
        serving.batching,
    )
    return TransformersEngine(folder, name=name, batching=batching)


def limits_of(serving: Serving, k: int | None = None, max_new_tokens: int | None = None) -> Limits:
    """What is configured, but for what a request names."""
    return Limits(
        k or serving.k,
        max_new_tokens or serving.max_new_tokens,
        serving.support_threshold,
        serving.relevance_threshold,
        serving.neighbours,
    )


def open_twin(
    author: str,
    author_name: str,
    index: Index,
    embedder: Embedder,
    engine: Engine | None,
    labels: Mapping[str, str | bool],
    *,
    serving: Serving,
    retrieval: Retrieval,
    scrubber: Scrubber | None = None,
) -> Twin:
    """The twin of a release, remembering what it is asked; `scrubber` masks what leaves, all kinds by default."""
    most = int(serving.cache_mb * 1024 * 1024)
    encoder = CachedEncoder(embedder, serving.cached_questions, most)
    llm = retrieval.rewriting.llm
    twin = Twin(
        author,
        author_name,
        retriever_of(index, encoder, retrieval),
        embedder,
        engine,
        dict(labels),
        ChatModel(llm) if llm is not None else None,
        answers=LruCache[Answer](serving.cached_answers, most, lambda answer: answer.bytes),
        passages=LruCache[str](_PASSAGES, most, lambda text: len(text.encode())),
        embedding_model=embedder.model,
    )
    return twin if scrubber is None else replace(twin, scrubber=scrubber)
