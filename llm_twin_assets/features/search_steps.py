"""The steps of a search, for whoever wants to see them: each is entered before it runs, then told what it gave."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.domain.chunk import FoundChunk

Chunks: TypeAlias = Sequence[FoundChunk]


class Steps(Protocol):
    """Who watches a search. An exception that leaves a step says how the step failed."""

    def rewrite(self, question: str, /) -> AbstractContextManager[Callable[[str], None]]:
        """A chat model words the question anew; told the words to search for."""
        ...

    def embed(self, texts: Sequence[str], /) -> AbstractContextManager[Callable[[NDArray[np.float32]], None]]:
        """Texts become one vector; told the vector that is searched with."""
        ...

    def retrieve(self, question: str, /) -> AbstractContextManager[Callable[[Chunks], None]]:
        """The index is searched; told what it holds on the question, best first."""
        ...

    def rerank(self, question: str, found: Chunks, /) -> AbstractContextManager[Callable[[Chunks], None]]:
        """A cross-encoder orders what was found anew; told the new order."""
        ...


class Unwatched:
    """Nobody watches."""

    def _step(self, *_: object) -> AbstractContextManager[Callable[[object], None]]:
        return nullcontext(_forgotten)

    rewrite = embed = retrieve = rerank = _step


def _forgotten(_: object) -> None:
    pass
