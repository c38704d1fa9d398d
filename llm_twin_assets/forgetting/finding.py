"""What is kept of a document, before anything is taken away: who names it by URL or id has to see what that means."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llm_twin_assets.collection.engine.stored import LINKS_TABLE
from llm_twin_assets.collection.reading.canonical_url import url_key
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Tombstone, tombstones, url_digest
from llm_twin_assets.forgetting.places import Places
from llm_twin_assets.lineage.records import Records, read_records
from llm_twin_assets.release.retention import kept_releases
from resources.errors import TwinError

Row = Mapping[str, Any]


class UnknownDocumentError(TwinError):
    """Nothing is kept under this name, and nothing was forgotten under it."""


class AmbiguousDocumentError(TwinError):
    """Several documents have that name."""


@dataclass(frozen=True, slots=True)
class Named:
    """A document as a person knows it."""

    document_id: str
    title: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.title and f"'{self.title}'", self.url, f"({self.document_id})")))


@dataclass(frozen=True, slots=True)
class Version:
    """A dataset version, or one of preference pairs, that was made of a document; `used` if something kept names it."""

    prefix: str
    used: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What is kept of `documents`. `copies` are others that say the same, and stay unless they are asked for, too.

    `learnt` are model versions that were trained on the documents, `judged` those that were only examined on them.
    `done` is the day from which nothing was left of them.
    """

    author: str
    documents: tuple[Named, ...]
    copies: tuple[Named, ...]
    snapshots: tuple[str, ...]
    versions: tuple[Version, ...]
    learnt: tuple[str, ...]
    judged: tuple[str, ...]
    stones: tuple[Tombstone, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The documents' ids."""
        return frozenset(each.document_id for each in self.documents)

    @property
    def is_done(self) -> bool:
        """Whether each was forgotten before, to the end."""
        done = {stone.document_id for stone in self.stones if stone.done_at}
        return self.ids <= done


def find(name: str, author: str, places: Places, retained: int, *, with_copies: bool) -> Findings:
    """What is kept under a URL or an id; raises `UnknownDocumentError`.

    `retained` is how many releases are kept: what they name stays. `with_copies` takes those in that say the same.
    """
    models = places.registry.verified_versions(author)
    records = read_records(author, places.objects, places.warehouse, places.vectors, models)
    stones = tombstones(places.warehouse.read(FORGOTTEN_TABLE, author))
    rows = [*records.cleaned, *records.raw]
    asked = {each["document_id"] for each in rows if _is_called(each, name)} or _at_path(name, rows)
    asked |= {
        each.document_id for each in stones if name == each.document_id or _digest(author, name) == each.url_digest
    }
    asked |= _elsewhere(name, records)
    if not asked:
        raise UnknownDocumentError(
            f"no document of '{author}' is called '{name}'",
            mend="Give its URL, its path, or the id that a citation or `twin search --json` shows.",
        )
    alike = _closure(asked, [*_links(places, author), *_duplicates(records)]) - asked
    wanted = asked | (alike if with_copies else set())
    seen = _versions(records, wanted, _used(records, places, retained))
    learnt, judged = _models(records, wanted)
    return Findings(
        author=author,
        documents=_named(wanted, rows),
        copies=_named(alike - wanted, rows),
        snapshots=tuple(sorted(name for name, held in (records.snapshots or {}).items() if held & wanted)),
        versions=tuple(seen),
        learnt=learnt,
        judged=judged,
        stones=tuple(each for each in stones if each.document_id in wanted),
    )


def url_digests(author: str, documents: Collection[str], rows: Iterable[Row]) -> dict[str, str]:
    """What tombstones keep of addresses, by document; nothing of one that a document which stays has, too."""
    found = [(row["document_id"], url_key(row["url"])) for row in rows if row.get("url")]
    shared = {url for document, url in found if document not in documents}
    return {document: url_digest(author, url) for document, url in found if document in documents and url not in shared}


def _is_called(row: Row, name: str) -> bool:
    return name == row["document_id"] or (bool(row.get("url")) and url_key(row["url"]) == url_key(name))


def _at_path(name: str, rows: Iterable[Row]) -> set[str]:
    """The document at a path; every repository has a README, so that a path may be several documents'."""
    found = {row["document_id"] for row in rows if row.get("path") == name}
    if len(found) > 1:
        raise AmbiguousDocumentError(
            f"{len(found)} documents have the path '{name}': {', '.join(sorted(found))}", mend="Give a URL or an id."
        )
    return found


def _digest(author: str, name: str) -> str:
    return url_digest(author, url_key(name))


def _elsewhere(name: str, records: Records) -> set[str]:
    """An id that no row has any more, but a snapshot or a dataset."""
    held = any(name in documents for documents in (records.snapshots or {}).values())
    return {name} if held or any(name in _all(manifest) for manifest in records.datasets) else set()


def _links(places: Places, author: str) -> list[tuple[str, str]]:
    rows = places.warehouse.read(LINKS_TABLE, author, ["document_id", "canonical_id"]).to_pylist()
    return [(row["document_id"], row["canonical_id"]) for row in rows]


def _duplicates(records: Records) -> list[tuple[str, str]]:
    return [(row["document_id"], row["duplicate_of"]) for row in records.cleaned if row.get("duplicate_of")]


def _closure(documents: Collection[str], pairs: Collection[tuple[str, str]]) -> set[str]:
    reached = set(documents)
    while grown := {each for pair in pairs if reached & set(pair) for each in pair} - reached:
        reached |= grown
    return reached


def _named(documents: Collection[str], rows: Iterable[Row]) -> tuple[Named, ...]:
    found = {each: Named(each) for each in sorted(documents)}
    for row in rows:
        if (key := row["document_id"]) in found:
            found[key] = Named(key, found[key].title or row.get("title"), found[key].url or row.get("url"))
    return tuple(found.values())


def _used(records: Records, places: Places, retained: int) -> set[str]:
    """Prefixes that a kept release, the candidate or the champion was made from."""
    author, models = records.author, records.models or {}
    kept = {each.model_version for each in kept_releases(places.objects, author, retained)}
    aliases = [places.registry.alias_version(author, name) for name in ("candidate", "champion")] if models else []
    tags = [models[version] for version in {*kept, *filter(None, aliases)} if version in models]
    datasets = {each.dataset for each in records.releases if each.model_version in kept}
    datasets |= {each["dataset_version"] for each in tags}
    preferences = {each.get("preference_version") for each in tags}
    return {f"datasets/{author}/{each}" for each in datasets} | {f"preferences/{author}/{each}" for each in preferences}


def _versions(records: Records, documents: set[str], used: Collection[str]) -> Iterable[Version]:
    for kind, manifests in (("datasets", records.datasets), ("preferences", records.preferences)):
        for manifest in manifests:
            prefix = f"{kind}/{records.author}/{manifest['digest']}"
            if documents & _all(manifest):
                yield Version(prefix, prefix in used)


def _models(records: Records, documents: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Versions that learnt from one of the documents, and those that were only examined on one."""
    manifests = {each["digest"]: each for each in (*records.datasets, *records.preferences)}
    learnt, seen = set(), set()
    for version, tags in (records.models or {}).items():
        named = (manifests.get(tags.get(kind, "")) for kind in ("dataset_version", "preference_version"))
        for manifest in filter(None, named):
            learnt |= {version} if documents & _learnt(manifest) else set()
            seen |= {version} if documents & _all(manifest) else set()
    return tuple(sorted(learnt, key=int)), tuple(sorted(seen - learnt, key=int))


def _learnt(manifest: Row) -> set[str]:
    """The documents of the splits that a training reads."""
    return {each for split, documents in manifest["documents"].items() if split != "test" for each in documents}


def _all(manifest: Row) -> set[str]:
    return {each for documents in manifest["documents"].values() for each in documents}
