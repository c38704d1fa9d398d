"""What the author wrote on something: the release's own snapshot searched, nothing written."""

from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.inference.answer import Twin
from resources.vector_store import Filters


def search(twin: Twin, query: str, k: int = 10, filters: Filters | None = None) -> Retrieved:
    """The chunks that are nearest, each with its exact span, and what the search had to do without."""
    return twin.retriever.find(query, k, filters or Filters())
