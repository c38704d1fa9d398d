"""The steps by which a document is forgotten, in an order that bears being killed between any two.

The tombstones come first: from then on nothing brings the document back, and whoever asks again goes on. Its rows go
before the index is written anew, so that no run meanwhile embeds it again; files go last, when nothing names them.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import pyarrow as pa

from llm_twin_assets.batch.answers import BATCH_ANSWERS_TABLE
from llm_twin_assets.batch.questions import QUESTIONS_TABLE
from llm_twin_assets.collection.engine import state
from llm_twin_assets.collection.engine.stored import LINKS_TABLE, table_of
from llm_twin_assets.datasets.version import delete_version, mark_stale
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Tombstone, tombstone_rows
from llm_twin_assets.domain.release import Release
from llm_twin_assets.features.index_rows import snapshot_name
from llm_twin_assets.forgetting.finding import Findings, url_digests
from llm_twin_assets.forgetting.places import Places
from llm_twin_assets.forgetting.quotes import Quoted, forget_batches, forget_feedback, forget_reports
from llm_twin_assets.forgetting.repointing import Wish, last_releases, repoint
from llm_twin_assets.release.records import current_release

RAW = tuple(table_of(category) for category in Category)
CLEANED = tuple(f"cleaned/{category.plural}" for category in Category)
# What a model version and a dataset version that saw it are marked with.
STALE_TAG = "stale"

Step = tuple[str, Callable[[], object]]


@dataclass(frozen=True)
class Forgetting:
    """One wish carried out. `model` is the digest of the embedding model, which snapshots are named after.

    `settle` is told which release serves from now on, and returns when whoever serves has taken it up; `forget_events`
    takes what quotes the documents out of Dagster's log. With `delete_versions` the dataset versions go that nothing
    kept was made from.
    """

    findings: Findings
    places: Places
    wish: Wish
    model: str
    settle: Callable[[Release], None]
    forget_events: Callable[[Quoted], object]
    delete_versions: bool = False

    def steps(self) -> Iterator[Step]:
        """Each with what is said of it; every one may be done again."""
        yield "tombstones", self._bury
        yield "feedback, reports and events that quote it", self._forget_quotes
        yield "replies of chat models", self._forget_replies
        yield "rows of the warehouse", self._delete_rows
        yield "vectors and checkpoints under way", self._forget_work
        yield "datasets", self._mark_versions
        yield "models", self._mark_models
        yield "the index without it", self._republish
        yield "its files in the index", partial(self.places.vectors.purge, self._author, self._ids)
        for table in (FEEDBACK_TABLE, QUESTIONS_TABLE, BATCH_ANSWERS_TABLE, LINKS_TABLE, state.TABLE, *CLEANED, *RAW):
            yield f"its files in {table}", partial(self.places.warehouse.purge, table)
        yield "done", self._close

    @property
    def _author(self) -> str:
        return self.findings.author

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        return tuple(sorted(self.findings.ids))

    @cached_property
    def _stones(self) -> dict[str, Tombstone]:
        """Those of an earlier wish stay: what they keep of addresses cannot be told once the rows are gone."""
        known = {stone.document_id: stone for stone in self.findings.stones}
        tables = (self.places.warehouse.read(table, self._author, ["document_id", "url"]) for table in (*RAW, *CLEANED))
        urls = url_digests(self._author, self._ids, [row for table in tables for row in table.to_pylist()])
        made = {
            each: Tombstone(each, self._author, urls.get(each), self.wish.who, self.wish.why, self.wish.at)
            for each in self._ids
        }
        return {**made, **known}

    def _bury(self) -> None:
        self._write(self._stones)

    def _close(self) -> None:
        self._write({key: replace(stone, done_at=self.wish.at) for key, stone in self._stones.items()})

    def _write(self, stones: Mapping[str, Tombstone]) -> None:
        self.places.warehouse.upsert(FORGOTTEN_TABLE, tombstone_rows(stones.values()), self._author)

    def _forget_quotes(self) -> None:
        quoted = Quoted.of(self.places, self._author, self._ids)
        forget_feedback(self.places, self._author, self._ids, quoted)
        forget_batches(self.places, self._author, self._ids, quoted)
        forget_reports(self.places, self._author, quoted)
        self.forget_events(quoted)

    def _forget_replies(self) -> None:
        for document in self._ids:
            self.places.objects.delete(list(self.places.objects.list(f"llm/{self._author}/{document}")))

    def _delete_rows(self) -> None:
        delete = self.places.warehouse.delete
        entries = state.entries_of(self.places.warehouse, self._author, self._ids)
        delete(state.TABLE, self._author, "entry_id", entries)
        for column in ("document_id", "canonical_id"):
            delete(LINKS_TABLE, self._author, column, self._ids)
        # Raw rows last: as long as one is there the document is found by its address.
        for table in (*CLEANED, *RAW):
            delete(table, self._author, "document_id", self._ids)

    def _forget_work(self) -> None:
        """What a killed run would go on from, and evaluations' answers: it will be another order of others."""
        cache = self.places.environment.cache
        folders = [*cache("training").glob(self._author), *cache("searches").glob(f"*/{self._author}")]
        folders += cache("evaluations").glob(self._author)
        for category in Category:
            folders += cache("embedding").glob(f"spool/*/{self._author}-{category.value}")
        for folder in folders:
            shutil.rmtree(folder)

    def _mark_versions(self) -> None:
        for version in self.findings.versions:
            mark_stale(self.places.objects, version.prefix, self._ids)
            if self.delete_versions and not version.used:
                delete_version(self.places.objects, version.prefix)

    def _mark_models(self) -> None:
        for number in self.findings.learnt:
            self.places.registry.mark(
                self._author, number, {STALE_TAG: f"learnt {', '.join(self._ids)}, forgotten since"}
            )

    def _republish(self) -> None:
        released = {each.snapshot: each.embedder_digest for each in last_releases(self.places.objects, self._author)}
        there = released.keys() & set(self.places.vectors.snapshots(self._author))
        names = {each: partial(_renamed, each, released[each]) for each in there}
        head = partial(snapshot_name, model=self.model)
        renamed = self.places.vectors.republish(self._author, self._ids, names, head)
        repoint(self.places.objects, self._author, renamed, self.wish)
        if serves := current_release(self.places.objects, self._author):
            self.settle(serves)


def _renamed(former: str, model: str, contents: pa.Table) -> str:
    """The name of a snapshot by what is left of it. If that is all, another one: its old files go all the same."""
    name = snapshot_name(contents, model)
    return name if name != former else f"{name}-again"
