"""From the records of an author to the graph: who came of whom, in words. Pure."""

from collections.abc import Iterator, Mapping

from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Approval, Release, Verdict
from llm_twin_assets.lineage.graph import Edge, Key, Kind, Lineage, Node
from llm_twin_assets.lineage.records import AnswerRead, Records, Row
from llm_twin_assets.release.records import verdict_of

Found = Iterator[Node | Edge]

# Of a model's tags these are edges, or say the same as its key.
_EDGES = frozenset({"author", "dataset_version", "preference_version", "base", "parameters_digest"})


def lineage_of(*records: Records) -> Lineage:
    """The graph of one author or several."""
    found = [each for author in records for part in (_served, _made) for each in part(author)]
    return Lineage.of(
        (each for each in found if isinstance(each, Node)), (each for each in found if isinstance(each, Edge))
    )


def _served(records: Records) -> Found:
    author = records.author
    for answer in records.answers:
        yield from _answer(author, answer)
    for release in records.releases:
        yield from _release(release, serves=release == records.serving)
    for approval in records.approvals:
        yield from _approval(approval)
    for verdict in records.verdicts:
        yield from _evaluation(verdict)


def _made(records: Records) -> Found:
    author = records.author
    for version, tags in records.models.items():
        yield from _model(author, version, tags)
    for manifest in records.datasets:
        yield from _dataset(author, manifest)
    for manifest in records.preferences:
        yield from _preferences(author, manifest)
    for name, documents in records.snapshots.items():
        yield from _snapshot(author, name, documents)
    for row in records.cleaned:
        yield from _cleaned(author, row)
    for row in records.raw:
        yield from _raw(author, row)


def _answer(author: str, answer: AnswerRead) -> Found:
    key = Key(Kind.ANSWER, author, answer.trace_id)
    yield Node(key, details=answer.details)
    yield Edge(key, Key(Kind.RELEASE, author, answer.release), "given by")
    for document in answer.documents:
        yield Edge(key, Key(Kind.DOCUMENT, author, document), "was given")


def _release(release: Release, *, serves: bool) -> Found:
    author, key = release.author, Key(Kind.RELEASE, release.author, release.release_id)
    said = {"decision", "approver", "reason", "released_at", "override", "code_version", "embedder", "smoke"}
    verdict = {"verdict": verdict_of(release), "serves": serves}
    yield Node(key, details={**release.model_dump(mode="json", include=said), **verdict})
    yield Edge(key, _approval_key(author, release.approval_sequence), "decided by")
    model = _model_key(author, release.model_version)
    yield Edge(key, model, "answers with")
    yield Edge(key, Key(Kind.SNAPSHOT, author, release.snapshot), "searches")
    if release.service:
        yield Edge(key, Key(Kind.SERVICE, author, release.service), "served by")
    # What the registry says, too; but a release must have its line where there is no registry any more.
    yield _model_node(author, release.model_version, release.model_digest)
    yield Edge(model, Key(Kind.DATASET, author, release.dataset), "trained on")
    yield Edge(model, Key(Kind.BASE, author, release.base), "fine-tuned from")


def _approval(approval: Approval) -> Found:
    author, key = approval.author, _approval_key(approval.author, approval.sequence)
    said = {"decision", "approver", "reason", "decided_at", "override"}
    yield Node(key, details=approval.model_dump(mode="json", include=said))
    model = _model_key(author, approval.model_version)
    judged = approval.verdict is not None
    yield Edge(key, _evaluation_key(author, approval.model_version) if judged else model, "rests on")


def _evaluation(verdict: Verdict) -> Found:
    author, key = verdict.author, _evaluation_key(verdict.author, verdict.model_version)
    said = {"passed", "reason", "reference", "documents", "evaluated_at"}
    yield Node(key, details=verdict.model_dump(mode="json", include=said))
    yield Edge(key, _model_key(author, verdict.model_version), "judges")
    yield Edge(key, Key(Kind.DATASET, author, verdict.dataset), "on the sealed documents of")


def _model(author: str, version: str, tags: Mapping[str, str]) -> Found:
    key, model = _model_key(author, version), ModelVersion.from_tags(author, version, tags)
    yield _model_node(author, version, model.digest, {name: tags[name] for name in sorted(tags.keys() - _EDGES)})
    yield Edge(key, Key(Kind.DATASET, author, model.dataset), "trained on")
    yield Edge(key, Key(Kind.BASE, author, model.base), "fine-tuned from")
    if parameters := tags.get("parameters_digest"):
        yield Edge(key, Key(Kind.PARAMETERS, author, parameters), "trained with")
    if preferences := tags.get("preference_version"):
        yield Edge(key, Key(Kind.PREFERENCES, author, preferences), "then trained on")


def _dataset(author: str, manifest: Row) -> Found:
    key = Key(Kind.DATASET, author, manifest["digest"])
    yield Node(key, details=_of(manifest, "samples", "kinds", "languages"))
    for split, documents in manifest["documents"].items():
        for document in documents:
            yield Edge(key, Key(Kind.DOCUMENT, author, document), f"made of ({split})")


def _preferences(author: str, manifest: Row) -> Found:
    key = Key(Kind.PREFERENCES, author, manifest["digest"])
    yield Node(key, details=_of(manifest, "pairs", "thumbs", "why_empty"))
    if manifest["dataset"]:
        yield Edge(key, Key(Kind.DATASET, author, manifest["dataset"]), "made of")


def _snapshot(author: str, name: str, documents: frozenset[str]) -> Found:
    key = Key(Kind.SNAPSHOT, author, name)
    yield Node(key, details={"documents": len(documents)})
    for document in sorted(documents):
        yield Edge(key, Key(Kind.DOCUMENT, author, document), "holds")


def _cleaned(author: str, row: Row) -> Found:
    key = Key(Kind.DOCUMENT, author, row["document_id"])
    yield Node(key, _names(row), _stated(row))
    yield Edge(key, Key(Kind.RAW, author, row["document_id"]), "cleaned from")


def _raw(author: str, row: Row) -> Found:
    key = Key(Kind.RAW, author, row["document_id"])
    yield Node(key, _names(row), _stated(row))
    if source := row.get("source"):
        yield Edge(key, Key(Kind.SOURCE, author, source), "collected from")


def _of(manifest: Row, *names: str) -> Row:
    return {name: manifest[name] for name in (*names, "stale") if name in manifest}


def _names(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("url", "path") if row.get(name))


def _stated(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "document_id" and value is not None}


def _model_key(author: str, version: str) -> Key:
    return Key(Kind.MODEL, author, f"twin-{author}/{version}")


def _model_node(author: str, version: str, digest: str, details: Row | None = None) -> Node:
    return Node(_model_key(author, version), (version, digest), {"model_digest": digest, **(details or {})})


def _approval_key(author: str, sequence: int) -> Key:
    return Key(Kind.APPROVAL, author, f"{author}-approval-{sequence:06d}")


def _evaluation_key(author: str, version: str) -> Key:
    return Key(Kind.EVALUATION, author, f"{author}-evaluation-{version}")
