"""What a collection says of itself in Dagster: counts, a preview, what was quarantined."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.collection.engine import Collected
from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.domain.preview import link, markdown_table
from resources.warehouse import MergeCounts

_PREVIEW = 10
_QUARANTINE = 50


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one materialization of `raw/<platform>` did for one author."""

    sources: Sequence[Collected] = ()
    merged: Mapping[str, MergeCounts] = field(default_factory=dict)
    versions: Mapping[str, int | None] = field(default_factory=dict)
    stored: int = 0
    seconds: float = 0.0
    quarantined: Sequence[Quarantined] = ()

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """For the asset page."""
        documents = [document for source in self.sources for document in source.documents]
        scrubbed = _summed(source.scrubbed for source in self.sources)
        dated_by = _summed(source.dated_by for source in self.sources)
        values: dict[str, dg.MetadataValue] = {
            "dagster/row_count": dg.MetadataValue.int(self.stored),
            "sources": dg.MetadataValue.int(len(self.sources)),
            "new": dg.MetadataValue.int(sum(counts.new for counts in self.merged.values())),
            "changed": dg.MetadataValue.int(sum(counts.changed for counts in self.merged.values())),
            "unchanged": dg.MetadataValue.int(sum(counts.unchanged for counts in self.merged.values())),
            "duplicates": dg.MetadataValue.int(sum(source.duplicates for source in self.sources)),
            "quarantined": dg.MetadataValue.int(len(self.quarantined)),
            "scrubbed": dg.MetadataValue.int(sum(scrubbed.values())),
            "seconds": dg.MetadataValue.float(round(self.seconds, 3)),
        }
        values |= {f"scrubbed/{kind}": dg.MetadataValue.int(count) for kind, count in sorted(scrubbed.items())}
        values |= {f"version/{table}": dg.MetadataValue.int(v) for table, v in self.versions.items() if v is not None}
        if documents:
            values["by_category"] = dg.MetadataValue.md(_categories(self.merged))
            values["dated_by"] = dg.MetadataValue.text(", ".join(f"{by}: {n}" for by, n in sorted(dated_by.items())))
            values["preview"] = dg.MetadataValue.md(preview(documents))
        if self.quarantined:
            values["quarantine"] = dg.MetadataValue.md(quarantine(self.quarantined))
        return values


def preview(documents: Sequence[RawDocument]) -> str:
    """The newest documents as a Markdown table."""
    newest = sorted(documents, key=lambda d: (d.published_at is not None, d.published_at), reverse=True)
    rows = [
        (
            document.published_at and document.published_at.date(),
            document.category.value,
            link(document.title or document.content, document.url),
            f"{len(document.content):,}",
        )
        for document in newest
    ]
    return markdown_table(("published", "category", "document", "characters"), rows, limit=_PREVIEW)


def quarantine(items: Sequence[Quarantined]) -> str:
    """What could not be read, as a Markdown table."""
    rows = [(item.where, item.reason) for item in items]
    return markdown_table(("where", "why, and what to do"), rows, width=400, limit=_QUARANTINE)


def _categories(merged: Mapping[str, MergeCounts]) -> str:
    rows = [(table, counts.new, counts.changed, counts.unchanged) for table, counts in merged.items()]
    return markdown_table(("table", "new", "changed", "unchanged"), rows)


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for key, value in count.items():
            total[key] = total.get(key, 0) + value
    return total
