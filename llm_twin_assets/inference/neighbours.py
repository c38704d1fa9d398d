"""What a model may read around the passages found, where the store still gives it."""

import logging
from collections.abc import Sequence

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.features.retrieve_sections import neighbours
from llm_twin_assets.inference.twin import Twin
from resources.errors import TwinError

_LOG = logging.getLogger(__name__)


def neighbours_of(twin: Twin, chunks: Sequence[FoundChunk], reach: int) -> Retrieved:
    """The chunks around those found; none for who only quotes. A store that fails costs them and not the answer."""
    # Whole sections have theirs already.
    if twin.engine is None or not reach or twin.retriever.how.section_characters:
        return Retrieved()
    try:
        return Retrieved(tuple(neighbours(twin.retriever.index, chunks, reach)))
    # Beside our own, what LanceDB raises where its files are gone.
    except (TwinError, OSError, RuntimeError, ValueError) as error:
        _LOG.warning("the passages stand alone, their neighbours cannot be read: %s", error)
        return Retrieved(lacking=("the passages' neighbours cannot be read",))
