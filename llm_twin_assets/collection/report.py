"""What a collection says of itself in Dagster: counts, a preview, what was quarantined."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from llm_twin_assets.collection.collect import PlatformCollected
from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.engine.collected import Collected, newest
from llm_twin_assets.collection.engine.stored import Stored
from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.domain.preview import link, markdown_table

_PREVIEW = 10
_QUARANTINE = 50
_CURSOR = 2_000
_COUNTED = ("new", "changed", "unchanged", "restored", "removed", "kept", "excerpts", "duplicates", "forgotten")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one materialization of `raw/<platform>` did for one author."""

    collected: PlatformCollected
    stored: Stored
    versions: Mapping[str, int | None] = field(default_factory=dict)
    seconds: float = 0.0

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """For the asset page."""
        sources, http = self.collected.sources, self.collected.http
        scrubbed = _summed(source.scrubbed for source in sources)
        numbers = {
            "dagster/row_count": self.stored.rows,
            "sources": len(sources),
            **{name: sum(getattr(source, name) for source in sources) for name in _COUNTED},
            "tombstones": self.stored.removed,
            "cross_posts": self.collected.linked,
            "quarantined": sum(source.quarantined_count for source in sources),
            "skipped_by_robots": sum(source.robots_skipped for source in sources),
            "requests": http.requests,
            "not_modified_304": http.not_modified,
            "retries": http.retries,
            "bytes": http.bytes,
            "scrubbed": sum(scrubbed.values()),
            **{f"scrubbed/{kind}": count for kind, count in sorted(scrubbed.items())},
            **{f"version/{table}": version for table, version in self.versions.items() if version is not None},
        }
        values: dict[str, dg.MetadataValue] = {name: dg.MetadataValue.int(count) for name, count in numbers.items()}
        values["seconds"] = dg.MetadataValue.float(round(self.seconds, 3))
        values["waited_seconds"] = dg.MetadataValue.float(round(http.waited, 3))
        return values | self._shown(sources)

    def _shown(self, sources: Sequence[Collected]) -> dict[str, dg.MetadataValue]:
        documents = newest([document for source in sources for document in source.preview], _PREVIEW)
        dated_by = _summed(source.dated_by for source in sources)
        quarantined = [item for source in sources for item in source.quarantined]
        notices = [f"- {source.source}: {notice}" for source in sources for notice in source.notices]
        cursors = {source.source: source.cursor for source in sources if source.cursor is not None}
        values: dict[str, dg.MetadataValue] = {}
        if sources:
            values["by_source"] = dg.MetadataValue.md(_by_source(sources))
        if documents:
            values["dated_by"] = dg.MetadataValue.text(", ".join(f"{by}: {n}" for by, n in sorted(dated_by.items())))
            values["preview"] = dg.MetadataValue.md(preview(documents))
        if quarantined:
            values["quarantine"] = dg.MetadataValue.md(quarantine(quarantined))
        if notices:
            values["notices"] = dg.MetadataValue.md("\n".join(notices))
        if robots := [f"- {url}" for source in sources for url in source.robots]:
            values["skipped by robots.txt: which"] = dg.MetadataValue.md("\n".join(robots))
        if cursors:
            values["next_cursor"] = dg.MetadataValue.text(json.dumps(cursors, indent=1, sort_keys=True)[:_CURSOR])
        return values


def preview(documents: Sequence[RawDocument]) -> str:
    """Documents as a Markdown table."""
    rows = [
        (
            document.published_at and document.published_at.date(),
            document.category.value,
            link(document.title or document.content, document.url),
            f"{len(document.content):,}",
        )
        for document in documents
    ]
    return markdown_table(("published", "category", "document", "characters"), rows, limit=_PREVIEW)


def quarantine(items: Sequence[Quarantined]) -> str:
    """What could not be read, as a Markdown table."""
    rows = [(item.where, item.reason) for item in items]
    return markdown_table(("where", "why, and what to do"), rows, width=400, limit=_QUARANTINE)


def _by_source(sources: Sequence[Collected]) -> str:
    rows = [
        (
            source.source,
            source.found,
            source.new,
            source.changed,
            source.unchanged,
            source.removed,
            source.quarantined_count,
            str(source.error) if source.error else "",
        )
        for source in sources
    ]
    header = ("source", "read", "new", "changed", "unchanged", "removed", "quarantined", "error")
    return markdown_table(header, rows, width=200)


def _summed(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total
