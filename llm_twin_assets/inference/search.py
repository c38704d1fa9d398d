"""What the author wrote on something: the release's own snapshot searched, nothing written."""

from dataclasses import replace

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.inference import spans
from llm_twin_assets.inference.asked import Asker
from llm_twin_assets.inference.search_spans import SearchSpans
from llm_twin_assets.inference.twin import Twin
from resources.tracing import NoTracer, Tracer
from resources.vector_store import Filters


def search(
    twin: Twin,
    query: str,
    k: int = 10,
    filters: Filters | None = None,
    *,
    tracer: Tracer | None = None,
    asker: Asker | None = None,
) -> Retrieved:
    """The chunks that are nearest, each with its exact span, and what the search had to do without.

    Personal data that a chunk holds for all that is masked, which leaves its span as it is.
    """
    with (tracer or NoTracer()).trace(spans.project_of(twin.author), "search", twin.scrubber.masked) as span:
        span.set(spans.search_asked(twin, query, asker or Asker()))
        found = twin.retriever.find(query, k, filters or Filters(), SearchSpans(twin, span))
        return replace(found, chunks=tuple(_masked(twin, chunk) for chunk in found.chunks))


def _masked(twin: Twin, chunk: FoundChunk) -> FoundChunk:
    return replace(chunk, text=twin.masked_passage(chunk.text))
