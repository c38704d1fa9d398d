"""The asset `models/evaluation`: candidate against champion on sealed documents."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from llm_twin_assets.automation import WHEN_CONTENT_CHANGED_AND_CHECKED
from llm_twin_assets.datasets import version
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.model import ModelVersion, model_path
from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.bits_per_byte import score_documents
from llm_twin_assets.evaluation.gate import verdict
from llm_twin_assets.evaluation.report import report
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.bases import find_base
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings


@dataclass(frozen=True, slots=True)
class Reference:
    """What a candidate is compared with: the champion, or the bare base where there is none."""

    name: str
    folder: Path


@dg.asset(
    key=["models", "evaluation"],
    deps=[dg.AssetKey(["models", "candidate"]), dg.AssetKey(["datasets", "instruct"])],
    partitions_def=AUTHORS,
    group_name="evaluation",
    kinds={"python", "pytorch"},
    owners=OWNERS,
    automation_condition=WHEN_CONTENT_CHANGED_AND_CHECKED,
    description=(
        "The candidate against the champion (or the bare base) on the sealed test documents: bits per byte, with a "
        "paired bootstrap over documents. The check `gate` holds the verdict; a person approves after it."
    ),
)
def evaluation(
    context: dg.AssetExecutionContext,
    objects: dg.ResourceParam[ObjectStore],
    registry: dg.ResourceParam[Registry],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Score both models on the sealed documents, decide, write the report."""
    started = time.monotonic()
    found, page, is_new = evaluate_candidate(context.partition_key, objects, registry, settings)
    context.log.info(found.reason)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest(found.model_dump(mode="json", exclude={"evaluated_at"}))),
        metadata={
            "passed": found.passed,
            "verdict": found.reason,
            "model_version": found.model_version,
            "reference": found.reference,
            "bits_per_byte": round(found.candidate_bits_per_byte, 4),
            "reference_bits_per_byte": round(found.reference_bits_per_byte, 4),
            "change": f"{found.candidate_bits_per_byte / found.reference_bits_per_byte - 1:+.1%}",
            "sealed_documents": found.documents,
            "new": is_new,
            "report": dg.MetadataValue.md(page),
            "seconds": round(time.monotonic() - started, 2),
        },
    )


def evaluate_candidate(
    author: str, objects: ObjectStore, registry: Registry, settings: Settings
) -> tuple[Verdict, str, bool]:
    """Verdict and report on an author's candidate, and whether they are new; what was judged before is not again."""
    candidate = candidate_of(author, registry)
    champion = registry.alias_version(author, "champion")
    past = objects.find(f"evaluations/{author}/{candidate.version}.json")
    if past is not None:
        found = Verdict.model_validate_json(past)
        if _still_holds(found, candidate, champion, settings):
            return found, objects.get(f"evaluations/{author}/{candidate.version}.md").decode(), False

    documents = version.test_documents(objects, version.open_version(objects, author, candidate.dataset)).to_pylist()
    texts = [(row["document_id"], row["text"]) for row in documents]
    with TemporaryDirectory() as scratch:
        reference = _reference(candidate, champion, objects, Path(scratch))
        ours = score_documents(objects.local_folder(candidate.path, Path(scratch, "candidate")), texts)
        theirs = score_documents(reference.folder, texts)
    found = verdict(
        ours,
        theirs,
        settings.evaluation,
        author=author,
        model_version=candidate.version,
        model_digest=candidate.digest,
        reference_name=reference.name,
        dataset=candidate.dataset,
        now=datetime.now(UTC),
    )
    page = report(found, ours, theirs, {row["document_id"]: row["title"] for row in documents})
    _store(objects, found, page)
    return found, page, True


def candidate_of(author: str, registry: Registry) -> ModelVersion:
    """The candidate as its tags describe it; raises `StorageError` if there is none."""
    number = registry.candidate_version(author)
    return ModelVersion.from_tags(author, number, registry.tags(author, number))


def _still_holds(found: Verdict, candidate: ModelVersion, champion: str | None, settings: Settings) -> bool:
    """A verdict holds while data, gate and champion are what they were, or the candidate itself became champion."""
    gate = digest(settings.evaluation.model_dump(mode="json"))
    if (found.dataset, found.model_digest, found.config_digest) != (candidate.dataset, candidate.digest, gate):
        return False
    return champion == found.model_version or found.reference == _name(candidate, champion)


def _name(candidate: ModelVersion, champion: str | None) -> str:
    return f"champion {champion}" if champion else f"base {candidate.base}"


def _reference(candidate: ModelVersion, champion: str | None, objects: ObjectStore, scratch: Path) -> Reference:
    name = _name(candidate, champion)
    if champion is None:
        return Reference(name, find_base(candidate.base, candidate.base_revision).folder)
    return Reference(name, objects.local_folder(model_path(candidate.author, champion), scratch / "champion"))


def _store(objects: ObjectStore, found: Verdict, page: str) -> None:
    """The report first: a verdict is never there without the page that explains it."""
    objects.replace(f"evaluations/{found.author}/{found.model_version}.md", page.encode())
    content = found.model_dump_json(indent=2).encode()
    objects.replace(f"evaluations/{found.author}/{found.model_version}.json", content)
