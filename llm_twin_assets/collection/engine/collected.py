"""What one visit to one source came to."""

from collections import Counter
from dataclasses import dataclass, field

from llm_twin_assets.collection.connector import Quarantined
from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.domain.identity import Json
from resources.errors import TwinError

# Shown on the asset's page; more would only cost memory.
_PREVIEW = 20
_LISTED = 200


@dataclass
class Collected:
    """Counts and samples; `error` is what ended the visit early, if anything did: what came before it is stored."""

    source: str
    found: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0
    restored: int = 0
    excerpts: int = 0
    duplicates: int = 0
    forgotten: int = 0
    robots_skipped: int = 0
    robots: list[str] = field(default_factory=list)
    quarantined_count: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    preview: list[RawDocument] = field(default_factory=list)
    scrubbed: Counter[str] = field(default_factory=Counter)
    dated_by: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    cursor: Json = None
    error: TwinError | None = None

    def progress(self) -> str:
        """One line on how far it is."""
        return (
            f"{self.source}: {self.found} read, {self.new} new, {self.changed} changed,"
            f" {self.quarantined_count} quarantined"
        )

    def quarantine(self, item: Quarantined) -> None:
        """Count it, and keep it to be shown."""
        self.quarantined_count += 1
        if len(self.quarantined) < _LISTED:
            self.quarantined.append(item)

    def skip_for_robots(self, url: str) -> None:
        """Count it, and keep the first ones to be shown."""
        self.robots_skipped += 1
        if len(self.robots) < _PREVIEW:
            self.robots.append(url)

    def show(self, document: RawDocument) -> None:
        """Keep the newest few."""
        self.preview.append(document)
        if len(self.preview) > 2 * _PREVIEW:
            self.preview = newest(self.preview)


def newest(documents: list[RawDocument], limit: int = _PREVIEW) -> list[RawDocument]:
    """The newest first, undated ones last."""
    dated = sorted(documents, key=lambda d: d.published_at.timestamp() if d.published_at else 0.0, reverse=True)
    return dated[:limit]
