"""Where to refuse a question: how near the record is to questions that it answers, and to others that it does not.

Questions on the sample author's articles, each answered by one of them, against everyday questions and questions on
software that no article is about. Prints the trade-off by threshold:

    python -m llm_twin_assets_tests.benchmarks.refusal
"""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference.relevance import DEFAULT_RELEVANCE, relevance
from llm_twin_assets_tests.benchmarks.beir import AUTHOR
from llm_twin_assets_tests.benchmarks.measuring import Row
from llm_twin_assets_tests.benchmarks.retrieval import index
from llm_twin_assets_tests.benchmarks.span_questions import own_questions
from resources.embedder import Embedder
from resources.settings import Chunking, Embedding

_STRANGE = (
    "Which striker won the Copa Libertadores?",
    "How long do I boil an egg?",
    "What is the capital of Mongolia?",
    "Can my landlord raise the rent twice a year?",
    "How do I treat a sprained ankle?",
    "Which vaccines does a puppy need?",
    "What does the central bank do when inflation rises?",
    "How are sonnets rhymed?",
    "Which visa do I need for Japan?",
    "Why do leaves turn red in autumn?",
    "How many moons does Jupiter have?",
    "Who painted the ceiling of the Sistine Chapel?",
    "How do I bleed a radiator?",
    "What is a good opening against the Sicilian defence?",
    "How much protein is in lentils?",
    "When was the treaty of Westphalia signed?",
)
_NEAR = (
    "How does Kubernetes schedule pods onto nodes?",
    "How do I centre a div with CSS grid?",
    "What is the difference between TCP and UDP?",
    "How does React reconcile its virtual DOM?",
    "How do I write a CUDA kernel for matrix multiplication?",
    "How does the borrow checker treat mutable references?",
    "Which Terraform backend locks its state?",
    "How do I rebase a branch interactively?",
    "What is a B-tree page split?",
    "How does TLS negotiate a cipher suite?",
    "How do Kafka consumers rebalance partitions?",
    "What does the garbage collector of Go do in its mark phase?",
)
_THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
_KEPT = 0.95
_REFUSED = 0.8


def measure() -> list[Row]:
    """Rows for `make bench`: what the default threshold keeps and refuses."""
    scores = scored()
    kept = _share(scores["answered by the record"], DEFAULT_RELEVANCE)
    refused = 1 - _share(scores["everyday"], DEFAULT_RELEVANCE)
    return [
        Row("questions that the record answers, kept", f"{kept:.0%}", f"≥ {_KEPT:.0%}", kept >= _KEPT),
        Row("everyday questions, refused unasked", f"{refused:.0%}", f"≥ {_REFUSED:.0%}", refused >= _REFUSED),
    ]


def scored() -> dict[str, list[float]]:
    """Relevance of what retrieval finds, by kind of question."""
    folder, questions = own_questions()
    documents = sample_articles(folder)
    embedding = Embedding()
    embedder = Embedder(embedding.model, embedding.revision)
    kinds = {
        "answered by the record": [question for question, _, _ in questions],
        "everyday": _STRANGE,
        "software": _NEAR,
    }
    with tempfile.TemporaryDirectory() as root:
        opened = Retriever(index(documents, embedder, Path(root), Chunking().max_tokens), embedder)
        return {
            kind: sorted(relevance(each, opened.find(each, 6).chunks) for each in asked)
            for kind, asked in kinds.items()
        }


def sample_articles(folder: Path) -> list[CleanedDocument]:
    """The sample author's articles, each with its path below the folder."""
    return [_document(file, folder) for file in sorted(folder.glob("articles/**/*.md"))]


def _document(file: Path, folder: Path) -> CleanedDocument:
    text, name = file.read_bytes().decode(), file.relative_to(folder).as_posix()
    return CleanedDocument(
        document_id=document_id(AUTHOR, name), author=AUTHOR, platform="files", category=Category.ARTICLE, url=None,
        title=file.stem, text=text, language="en", code_language=None, repository=None, path=name,
        published_at=datetime(2025, 1, 1, tzinfo=UTC), words=len(text.split()), content_hash=content_hash(name, text),
        raw_hash=content_hash(text), cleaner="benchmark",
    )  # fmt: skip


def _share(scores: Sequence[float], threshold: float) -> float:
    return sum(score >= threshold for score in scores) / len(scores)


def main() -> None:
    """Print the trade-off."""
    scores = scored()
    for kind, found in scores.items():
        print(f"{kind:24} n={len(found)}  " + " ".join(f"{each:.2f}" for each in found))  # noqa: T201
    for threshold in _THRESHOLDS:
        shares = "  ".join(f"{kind}: {_share(found, threshold):4.0%} kept" for kind, found in scores.items())
        print(f"{threshold:.2f}  {shares}")  # noqa: T201


if __name__ == "__main__":
    main()
