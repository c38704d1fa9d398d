"""What the chunks around those found are worth in a prompt, and what they cost: `serving.neighbours`.

Questions on the sample author's articles, each with the passage that answers it. Prints how much of that passage the
prompt holds, how long the prompt is, and how long the store takes to fetch the chunks:

    python -m llm_twin_assets_tests.benchmarks.neighbours
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.features.retrieve_sections import neighbours
from llm_twin_assets.inference.packing import fitting
from llm_twin_assets_tests.benchmarks.refusal import sample_articles
from llm_twin_assets_tests.benchmarks.retrieval import index
from llm_twin_assets_tests.benchmarks.span_questions import own_questions
from llm_twin_assets_tests.inference.scripted import Scripted
from resources.embedder import Embedder
from resources.settings import Chunking, Embedding

_AMPLE = 1_000_000
# Chunks found, and neighbours to either side.
_WAYS = ((3, 0), (3, 1), (6, 0), (6, 1), (6, 2), (9, 0), (12, 0), (18, 0))


def main() -> None:
    """Print a row for each way of filling a prompt."""
    folder, questions = own_questions()
    documents = sample_articles(folder)
    ids = {each.path: each.document_id for each in documents}
    embedder = Embedder(Embedding().model, Embedding().revision)
    engine = Scripted("", context_tokens=_AMPLE)
    with tempfile.TemporaryDirectory() as root:
        opened = index(documents, embedder, Path(root), Chunking().max_tokens)
        retriever = Retriever(opened, embedder)
        for k, reach in _WAYS:
            held, words, seconds = list[float](), list[int](), list[float]()
            for question, name, (span,) in questions:
                found = retriever.find(question, k).chunks
                began = time.perf_counter()
                around = neighbours(opened, found, reach) if reach else []
                seconds.append(time.perf_counter() - began)
                prompt = fitting(engine, question, found, around, author_name="M", max_new_tokens=8)
                words.append(engine.token_count(prompt))
                held.append(_held([*found, *around], ids[name], span))
            print(  # noqa: T201
                f"k={k:<2} neighbours={reach}: passage held {statistics.mean(held):.1%}, wholly "
                f"{statistics.mean(each == 1 for each in held):.1%}; {statistics.mean(words):.0f} words; "
                f"fetched in {1000 * statistics.median(seconds):.1f} ms"
            )


def _held(chunks: Sequence[FoundChunk], document: str, span: tuple[int, int]) -> float:
    """The share of a passage's characters that chunks hold."""
    places = {at for each in chunks if each.document_id == document for at in range(each.start, each.end)}
    return sum(at in places for at in range(*span)) / (span[1] - span[0])


if __name__ == "__main__":
    main()
