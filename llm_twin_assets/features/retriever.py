"""The retriever that twin.yaml describes: the one place where its parts are put together."""

import logging

from llm_twin_assets.features.query_rewriting import rewriter_of
from llm_twin_assets.features.rerank import CrossEncoder
from llm_twin_assets.features.retrieve import QuestionEncoder, Retriever
from resources.cross_encoder import SentenceTransformersCrossEncoder
from resources.errors import TwinError
from resources.settings import Retrieval
from resources.vector_store import Index

_LOG = logging.getLogger(__name__)


def retriever_of(index: Index, embedder: QuestionEncoder, how: Retrieval) -> Retriever:
    """An opened retriever; without the cross-encoder that is configured where it cannot be had, and saying so.

    It is loaded and tried here: one that is missing must not be looked for again with every question.
    """
    rewriter = rewriter_of(how.rewriting)
    if how.rerank.model is None:
        return Retriever(index, embedder, how, rewriter=rewriter)
    try:
        return Retriever(index, embedder, how, _ready(how.rerank.model, how.rerank.revision), rewriter)
    except (TwinError, RuntimeError) as error:
        _LOG.warning("searching without the cross-encoder: %s", error)
        lacking = f"reranking is off: {error.what if isinstance(error, TwinError) else error}"
        return Retriever(index, embedder, how, rewriter=rewriter, lacking=(lacking,))


def _ready(model: str, revision: str | None) -> CrossEncoder:
    encoder = SentenceTransformersCrossEncoder(model, revision)
    encoder.scores("Ready?", ["Ready."])
    return encoder
