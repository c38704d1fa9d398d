"""The evaluation of an author's candidate, from the models' folders to a verdict and its report."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from llm_twin_assets.datasets import version
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Comparison, Verdict
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.evaluation import records
from llm_twin_assets.evaluation.comparison import BITS_PER_BYTE, compare
from llm_twin_assets.evaluation.exam.contestants import Contestants, Opened
from llm_twin_assets.evaluation.exam.exam import Paper, exam_for
from llm_twin_assets.evaluation.exam.examination import Sheet, mark, sit
from llm_twin_assets.evaluation.exam.marking import marking_key
from llm_twin_assets.evaluation.gate import decide, warnings
from llm_twin_assets.evaluation.judge.family import candidate_families
from llm_twin_assets.evaluation.judge.judge import Pair
from llm_twin_assets.evaluation.judge.session import judged
from llm_twin_assets.evaluation.measure import Measured
from llm_twin_assets.evaluation.measures.answers import OpenRecord
from llm_twin_assets.evaluation.measures.authorship_others import package_prose
from llm_twin_assets.evaluation.report.page import Page
from llm_twin_assets.evaluation.report.report import page_of
from llm_twin_assets.evaluation.sealed import documents_read, read_by_training, seal, sealed_documents
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.features.retriever import retriever_of
from llm_twin_assets.inference.answer import Limits
from llm_twin_assets.inference.caches import CachedEncoder
from llm_twin_assets.inference.pipeline_traces import pipeline_traces
from llm_twin_assets.inference.prompts import prompt_digest
from resources.embedder import Embedder
from resources.errors import StorageError, TwinError
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

# All models are asked the same of the embedder: the same questions, the same passages.
_CACHED_TEXTS, _CACHED_BYTES = 100_000, 256 * 2**20

# Part of what a verdict rests on: raise it when the code measures the same answers otherwise.
EVALUATOR = "2"

T = TypeVar("T")


class EvaluationError(TwinError):
    """A candidate cannot be evaluated."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where an evaluation reads and writes; `cache` is a folder of this machine, for answers to outlive a kill."""

    objects: ObjectStore
    registry: Registry
    warehouse: Warehouse
    vector_store: VectorStore
    embedder: Embedder
    cache: Path


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A verdict, its report as Markdown, and whether they were made now."""

    verdict: Verdict
    markdown: str
    is_new: bool


def evaluate_candidate(author: str, stores: Stores, settings: Settings) -> Evaluated:
    """Verdict and report on an author's candidate; what was judged before is not again."""
    contestants = Contestants.of(author, stores.registry)
    candidate = contestants.candidate
    past = records.find(stores.objects, author, candidate.version)
    if past is not None and holds(past, contestants, settings):
        return Evaluated(past, records.markdown_of(stores.objects, past), is_new=False)
    with contestants.opened(stores.objects) as opened:
        page = _judged(contestants, opened, stores, settings)
    return Evaluated(page.verdict, records.store(stores.objects, stores.registry, page), is_new=True)


def _judged(contestants: Contestants, opened: Opened, stores: Stores, settings: Settings) -> Page:
    paper = _paper(contestants, opened, stores, settings)
    cache = stores.cache / contestants.candidate.author
    base = sit(opened.base, paper.exam, cache)
    candidate = sit(opened.candidate, paper.exam, cache)
    reference = sit(opened.champion, paper.exam, cache) if opened.champion else base
    key = marking_key(paper, base, stores.objects, stores.warehouse, settings)
    ours, grounds = mark(candidate, paper.exam, key), mark(base, paper.exam, key)
    theirs = grounds if reference is base else mark(reference, paper.exam, key)
    opinion, counterpart = _opinions(contestants, opened, candidate, reference, stores.objects, settings)
    comparisons = compare(ours.with_also(opinion), theirs.with_also(counterpart), settings.evaluation)
    with_base = () if reference is base else compare(ours, grounds, settings.evaluation)
    found = _verdict(contestants, paper, comparisons, with_base, key.lacking, settings)
    return page_of(found, contestants, candidate, reference, paper, stores.objects, stores.registry, settings)


def _opinions(
    contestants: Contestants,
    opened: Opened,
    candidate: Sheet,
    reference: Sheet,
    objects: ObjectStore,
    settings: Settings,
) -> tuple[Measured, Measured]:
    """What a chat model thinks of both, where twin.yaml names one."""
    judge = settings.evaluation.judge
    if judge is None:
        return {}, {}
    model = contestants.candidate
    pairs = [Pair.of(ours, theirs) for ours, theirs in zip(candidate.unaided, reference.unaided, strict=True)]
    families = candidate_families(model.base, opened.base.folder)
    with pipeline_traces(model.author, settings) as project:
        return judged(model.author, pairs, judge, families, objects, project=project).measures()


def _paper(contestants: Contestants, opened: Opened, stores: Stores, settings: Settings) -> Paper:
    """Everything that is asked, and the proof that training has not read it."""
    candidate, objects = contestants.candidate, stores.objects
    author, dataset = candidate.author, candidate.dataset
    documents = sealed_documents(objects, author, dataset)
    if contestants.champion:  # a document that it was trained on would speak for it
        known = documents_read(objects, author, contestants.champion.dataset)
        documents = [each for each in documents if each.document_id not in known]
    if len(documents) < 2:
        raise EvaluationError(
            f"there are {len(documents)} sealed documents that neither the candidate nor {contestants.reference} read",
            where=f"{objects.root}/datasets/{author}/{dataset}",
            mend="Add sources, or raise dataset.test_share in twin.yaml.",
        )
    ids = {each.document_id for each in documents}
    samples = version.all_samples(objects, version.open_version(objects, author, dataset))
    sealed = [each for each in samples if each.split is Split.TEST and each.document_id in ids]
    strangers = package_prose(settings.evaluation.strangers)
    record = _record(author, stores, settings)
    read = read_by_training(objects, author, stores.registry.tags(author, candidate.version))
    return Paper(
        exam=exam_for(sealed, documents, strangers.values(), record, opened.folders, settings.evaluation),
        dataset=dataset,
        read=tuple(read),
        strangers=strangers,
        proof=seal(documents, read, settings.dataset.max_leaked_8grams),
    )


def _record(author: str, stores: Stores, settings: Settings) -> OpenRecord:
    snapshot = current_snapshot(author, stores.vector_store, stores.embedder)
    if snapshot is None:
        raise StorageError(f"author '{author}' has no embedded snapshot", mend=f"Run `twin run --author {author}`.")
    serving, embedder = settings.serving, CachedEncoder(stores.embedder, _CACHED_TEXTS, _CACHED_BYTES)
    return OpenRecord(
        author=author,
        author_name=settings.author(author).name,
        retriever=retriever_of(stores.vector_store.open(author, snapshot), embedder, settings.retrieval),
        embedder=embedder,
        limits=Limits(
            k=serving.k,
            max_new_tokens=min(serving.max_new_tokens, settings.evaluation.max_new_tokens),
            support_threshold=serving.support_threshold,
            relevance_threshold=serving.relevance_threshold,
            neighbours=serving.neighbours,
        ),
    )


def _verdict(
    contestants: Contestants,
    paper: Paper,
    comparisons: tuple[Comparison, ...],
    with_base: tuple[Comparison, ...],
    lacking: tuple[str, ...],
    settings: Settings,
) -> Verdict:
    candidate, rules = contestants.candidate, settings.evaluation
    documents = len(paper.exam.documents)
    decision = decide(comparisons, contestants.reference, documents, rules, paper.proof.objection)
    bits = next(each for each in comparisons if each.measure == BITS_PER_BYTE.name)
    return Verdict(
        author=candidate.author,
        model_version=candidate.version,
        model_digest=candidate.digest,
        reference=contestants.reference,
        dataset=candidate.dataset,
        documents=documents,
        candidate_bits_per_byte=_known(bits.candidate),
        reference_bits_per_byte=_known(bits.reference),
        difference=_known(bits.difference),
        passed=decision.passed,
        reason=decision.reason,
        config_digest=config_digest(settings),
        evaluated_at=datetime.now(UTC),
        test_digest=paper.exam.digest,
        comparisons=comparisons,
        with_base=with_base,
        warnings=(*lacking, *warnings(comparisons, rules)),
    )


def _known(value: T | None) -> T:
    if value is None:  # two documents at least were scored by every model
        raise EvaluationError("bits per byte were not measured")
    return value


def config_digest(settings: Settings) -> str:
    """Digest of all that decides on a verdict beside models and test set."""
    return digest(
        {
            "evaluator": EVALUATOR,
            "evaluation": settings.evaluation.model_dump(mode="json"),
            "serving": settings.serving.model_dump(mode="json", exclude={"warm"}),
            "retrieval": settings.retrieval.model_dump(mode="json"),
            "prompt": prompt_digest(),
        }
    )


def holds(found: Verdict, contestants: Contestants, settings: Settings) -> bool:
    """A verdict holds while data, rules and champion are what they were, or the candidate itself became champion."""
    candidate = contestants.candidate
    wanted = (candidate.dataset, candidate.digest, config_digest(settings))
    if (found.dataset, found.model_digest, found.config_digest) != wanted:
        return False
    return contestants.is_champion or found.reference == contestants.reference
