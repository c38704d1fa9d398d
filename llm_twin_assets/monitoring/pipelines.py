"""Everything that Prometheus is told of the pipelines: read from Dagster's instance, the warehouse and the records."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from llm_twin_assets.monitoring.overview import Overview, read_overview
from llm_twin_assets.monitoring.searchable import HeldDocuments, Searchable, published_documents, searchable
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.records import releases
from resources.errors import TwinError
from resources.object_store import ObjectStore
from resources.vector_store import VectorStore
from resources.warehouse import Warehouse

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """The newest verdict of a check on an author's partition."""

    asset: str
    check: str
    author: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Pipelines:
    """All authors at one moment; `succeeded` is when an asset last materialized, by asset and author, since 1970.

    `unreadable` are authors whose records are not what was written, or cannot be had.
    """

    overviews: Sequence[Overview] = ()
    searchable: Mapping[str, Searchable] = field(default_factory=dict)
    succeeded: Mapping[tuple[str, str], float] = field(default_factory=dict)
    checked: Sequence[Checked] = ()
    unreadable: frozenset[str] = frozenset()


class PipelineReader:
    """Reads them; what of it never changes is read once."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        checks: Collection[dg.AssetCheckKey],
        objects: ObjectStore,
        warehouse: Warehouse,
        store: VectorStore,
    ) -> None:
        self._instance = instance
        self._checks = list(checks)
        self._objects = objects
        self._warehouse = warehouse
        self._held = HeldDocuments(store)

    def read(self) -> Pipelines:
        """How things are now; an author who cannot be read takes no other along."""
        authors = sorted(self._instance.get_dynamic_partitions(AUTHORS.name or ""))
        overviews, waits, unreadable = list[Overview](), dict[str, Searchable](), set[str]()
        for author in authors:
            try:
                overviews.append(read_overview(author, self._objects, self._warehouse))
                waits[author] = self._searchable(author)
            except TwinError as error:
                _logger.error("what is on record of %s cannot be read: %s", author, error)
                unreadable.add(author)
        checked = [each for author in authors for each in self._checked(author)]
        return Pipelines(overviews, waits, self._succeeded(authors), checked, frozenset(unreadable))

    def _searchable(self, author: str) -> Searchable:
        return searchable(
            published_documents(author, self._warehouse),
            releases(self._objects, author),
            lambda snapshot: self._held.of(author, snapshot),
            datetime.now(UTC),
        )

    def _succeeded(self, authors: Sequence[str]) -> dict[tuple[str, str], float]:
        return {
            (key.to_user_string(), author): found.records[0].timestamp
            for key in self._instance.all_asset_keys()
            for author in authors
            if (found := self._instance.fetch_materializations(_of(key, author), limit=1)).records
        }

    def _checked(self, author: str) -> list[Checked]:
        # Not public API: what is (`get_latest_asset_check_evaluation_record`) knows of no partitions in 1.13, and to
        # read the events on SQLite opens the database of every run there ever was.
        newest = self._instance.event_log_storage.get_latest_asset_check_execution_by_key(
            self._checks, partition_filter=PartitionKeyFilter(key=author)
        )
        verdicts = {AssetCheckExecutionRecordStatus.SUCCEEDED: True, AssetCheckExecutionRecordStatus.FAILED: False}
        return [
            Checked(key.asset_key.to_user_string(), key.name, author, verdicts[record.status])
            for key, record in newest.items()
            if record.status in verdicts
        ]


def _of(key: dg.AssetKey, author: str) -> dg.AssetRecordsFilter:
    return dg.AssetRecordsFilter(asset_key=key, asset_partitions=[author])
