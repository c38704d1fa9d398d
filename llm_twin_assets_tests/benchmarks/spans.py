"""How well chunks meet the passages that answer: our chunker against a plain recursive splitter of the same size.

    python -m llm_twin_assets_tests.benchmarks.spans --corpus FOLDER --questions FILE.jsonl --json [--k 5]

A question a line: `{"question", "document", "spans": [[start, end], …]}`, the document being a path below the corpus
and the spans character offsets in it. Both cuttings are embedded by the same model and ranked by plain cosine. Of the
first k chunks: recall is the share of the labelled tokens that they hold, precision the share of their tokens that are
labelled, iou (intersection over union) both in one number (Smith and Troynikov, "Evaluating Chunking Strategies for
Retrieval", Chroma 2024); `recall_in_budget` is recall by as many chunks as k full ones have room for, so that nobody
wins by larger chunks. Tokens are words and marks, whatever the model's own are.
"""

import argparse
import json
import re
import statistics
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from llm_twin_assets.collection.repositories.code_files import LANGUAGES
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.features.chunk import chunk_document
from llm_twin_assets_tests.benchmarks.measuring import Row
from llm_twin_assets_tests.benchmarks.recursive_splitter import recursive_spans
from llm_twin_assets_tests.benchmarks.span_questions import own_questions
from resources.embedder import Embedder
from resources.settings import Chunking, Embedding

Span = tuple[int, int]
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and where in which document the answer stands."""

    question: str
    document: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of a document, and the text that is embedded for it."""

    document: str
    start: int
    end: int
    embedded: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of cutting: what it made of the corpus, how fast, and how well the pieces met the labelled spans."""

    chunks: int
    tokens_per_chunk: float
    mb_per_second: float
    recall: float
    precision: float
    iou: float
    recall_in_budget: float


Cutter = Callable[[str, str], Iterator[Cut]]


def measure() -> list[Row]:
    """On the sample author's articles and code, with questions that a person wrote and labelled."""
    folder, questions = own_questions()
    asked = [Question(question, document, spans) for question, document, spans in questions]
    found = compare(folder, asked, Chunking(), k=5)
    ours, plain = found["ours"], found["recursive"]
    within = (ours.recall_in_budget, plain.recall_in_budget)
    return [
        Row(f"recall of {len(asked)} questions, first 5", f"{ours.recall:.3f}, plain {plain.recall:.3f}"),
        Row("precision", f"{ours.precision:.3f}, plain {plain.precision:.3f}"),
        Row("iou", f"{ours.iou:.3f}, plain {plain.iou:.3f}", "at least plain's", ours.iou >= plain.iou),
        Row("recall in the same number of tokens", f"{within[0]:.3f}, plain {within[1]:.3f}", "at least plain's",
            within[0] >= within[1]),
        Row("chunking", f"{ours.mb_per_second:.2f} MB/s, plain {plain.mb_per_second:.2f} MB/s"),
    ]  # fmt: skip


def compare(folder: Path, questions: Sequence[Question], chunking: Chunking, k: int) -> Mapping[str, Measured]:
    """Both ways of cutting a folder, measured with the same model."""
    documents = read_corpus(folder, {question.document for question in questions})
    model = Embedding()
    embedder = Embedder(model.model, model.revision, model.batch_size)
    asked = embedder.encode([question.question for question in questions])
    embedder.token_count("")  # warm: loading the tokenizer is no chunker's cost
    cutters: dict[str, Cutter] = {
        "ours": our_cutter(embedder, chunking),
        "recursive": recursive_cutter(embedder, chunking),
    }
    return {
        name: _measured(documents, questions, asked, cutter, embedder, k, k * chunking.max_tokens)
        for name, cutter in cutters.items()
    }  # fmt: skip


def read_questions(path: Path) -> list[Question]:
    """A question a line; ends the program, saying where, for a line that is none."""
    questions = []
    # By \n alone: a question may hold other line ends, U+2028 say.
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
                spans = tuple((int(start), int(end)) for start, end in row["spans"])
                questions.append(Question(row["question"] or " ", row["document"].removeprefix("./"), spans))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise SystemExit(f"{path}, line {number}: no question, document and spans ({error!r})") from None
    if not questions:
        raise SystemExit(f"{path} has no questions")
    return questions


def read_corpus(folder: Path, asked: set[str]) -> Mapping[str, str]:
    """Every text of a folder by its path."""
    documents = {}
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        # As bytes: reading as text would turn \r\n into \n and move every span behind it.
        content = file.read_bytes()
        name = file.relative_to(folder).as_posix()
        if b"\0" not in content or name in asked:
            documents[name] = content.decode(errors="replace")
    if missing := asked - documents.keys():
        raise SystemExit(f"questions are about documents that {folder} does not have: {', '.join(sorted(missing)[:5])}")
    return documents


def our_cutter(embedder: Embedder, chunking: Chunking) -> Cutter:
    """The chunker of the pipeline."""

    def cut(name: str, text: str) -> Iterator[Cut]:
        for chunk in chunk_document(document(name, text), embedder.token_count, chunking.max_tokens, chunking.overlap):
            yield Cut(name, chunk.start, chunk.end, chunk.embedded_text)

    return cut


def recursive_cutter(embedder: Embedder, chunking: Chunking) -> Cutter:
    """A plain splitter: blank lines, lines, sentences, words, characters, joined up to the size; no context."""

    def cut(name: str, text: str) -> Iterator[Cut]:
        for start, end in recursive_spans(text, embedder.token_counts, chunking.max_tokens):
            if text[start:end].strip():
                yield Cut(name, start, end, text[start:end])

    return cut


def document(name: str, text: str) -> CleanedDocument:
    """A file as the pipeline would have it: code by its suffix, else an article under its first heading."""
    language = LANGUAGES.get(Path(name).suffix.lower())
    category = Category.CODE if language else Category.ARTICLE
    heading = re.search(r"^#\s+(.+)$", text, re.MULTILINE)
    title = heading[1] if heading and category is Category.ARTICLE else Path(name).stem.replace("-", " ")
    return CleanedDocument(
        document_id=name, author="benchmark", platform="files", category=category, url=None, title=title, text=text,
        language=None, code_language=language, repository=None, path=name, published_at=None, words=0,
        content_hash="", raw_hash="", cleaner="",
    )  # fmt: skip


def _measured(
    documents: Mapping[str, str],
    questions: Sequence[Question],
    asked: np.ndarray,
    cutter: Cutter,
    embedder: Embedder,
    k: int,
    budget: int,
) -> Measured:
    began = time.process_time()
    cuts = [cut for name, text in documents.items() for cut in cutter(name, text)]
    seconds = time.process_time() - began
    order = np.argsort([-len(cut.embedded) for cut in cuts], kind="stable")
    vectors = np.empty((len(cuts), embedder.dimension), np.float32)
    vectors[order] = embedder.encode([cuts[at].embedded for at in order])
    lengths = embedder.token_counts([cut.embedded for cut in cuts])
    tokens = {question.document: _tokens(documents[question.document]) for question in questions}
    sizes = [len(_TOKEN.findall(documents[cut.document], cut.start, cut.end)) for cut in cuts]
    scores = []
    for question, vector in zip(questions, asked, strict=True):
        ranked = np.argsort(-(vectors @ vector), kind="stable")[: 20 * k].tolist()
        within = _within([lengths[at] for at in ranked], budget)
        starts = tokens[question.document]
        first = _score(question, starts, [cuts[at] for at in ranked[:k]], sum(sizes[at] for at in ranked[:k]))
        more = _score(question, starts, [cuts[at] for at in ranked[:within]], 1)
        scores.append((*first, more[0]))
    means = [statistics.fmean(column) for column in zip(*scores, strict=True)]
    size = sum(len(text.encode()) for text in documents.values())
    return Measured(len(cuts), statistics.fmean(lengths), size / 1e6 / seconds, *means)


def _score(question: Question, starts: Sequence[int], cuts: Sequence[Cut], size: int) -> tuple[float, float, float]:
    """Recall, precision and intersection over union, in tokens."""
    wanted = _covered(starts, question.spans)
    both = wanted & _covered(starts, [(cut.start, cut.end) for cut in cuts if cut.document == question.document])
    return len(both) / max(1, len(wanted)), len(both) / max(1, size), len(both) / max(1, len(wanted) + size - len(both))


def _covered(starts: Sequence[int], spans: Sequence[Span]) -> set[int]:
    return {at for start, end in spans for at in range(bisect_left(starts, start), bisect_left(starts, end))}


def _tokens(text: str) -> list[int]:
    return [match.start() for match in _TOKEN.finditer(text)]


def _within(lengths: Sequence[int], budget: int) -> int:
    """How many of the first chunks have room."""
    total = np.cumsum(lengths)
    return int(np.searchsorted(total, budget, side="right"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what both ways of cutting reach."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, default=Chunking().max_tokens)
    parser.add_argument("--overlap", type=int, default=Chunking().overlap)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if not given.corpus.is_dir():
        raise SystemExit(f"{given.corpus} is no folder")
    questions = read_questions(given.questions)
    chunking = Chunking(max_tokens=given.max_tokens, overlap=given.overlap)
    found = {name: asdict(each) for name, each in compare(given.corpus, questions, chunking, given.k).items()}
    result = {"questions": len(questions), "k": given.k, **chunking.model_dump(), **found}
    if given.json:
        print(json.dumps(result, indent=2))  # noqa: T201
    else:
        for name, values in found.items():
            print(name, *(f"{key} {value:.3f}" for key, value in values.items()))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
