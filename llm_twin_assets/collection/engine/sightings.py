"""Where each document of a source was seen, and how often it was missed: what disappears is told from what failed.

One absence proves little: a listing may be cut short, a page may be down for a minute. A document is taken for removed
after two visits in a row that both read a listing to its end and did not find it, or were told that it is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from llm_twin_assets.collection.connector import Listed
from llm_twin_assets.domain.identity import Json

SIGHTINGS_OF_ABSENCE = 2


@dataclass(frozen=True, slots=True)
class Sighting:
    """The listings that ever showed a document, and the visits in a row that missed it."""

    listings: frozenset[str] = frozenset()
    missed: int = 0

    @classmethod
    def from_json(cls, value: Json) -> "Sighting":
        """As the state table keeps it."""
        if not isinstance(value, Mapping):
            return cls()
        listings, missed = value.get("in"), value.get("missed")
        named = listings if isinstance(listings, list | tuple) else ()
        return cls(frozenset(str(each) for each in named), missed if isinstance(missed, int) else 0)

    def to_json(self) -> Json:
        """For the state table."""
        return {"in": sorted(self.listings), "missed": self.missed}


@dataclass
class Sightings:
    """The sightings of one source, brought up to date by one visit."""

    before: Mapping[str, Sighting]
    seen: dict[str, set[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)

    def saw(self, document_id: str, listing: str) -> None:
        """The document is there."""
        self.seen.setdefault(document_id, set()).add(listing)

    def is_gone(self, document_id: str) -> None:
        """The source says that it is not, or no more."""
        self.gone.add(document_id)

    def was_read(self, listed: Listed) -> None:
        """A listing was read to its end, or the source confirmed that it is what it was."""
        (self.confirmed if listed.again else self.read).add(listed.listing)

    def present(self) -> dict[str, Sighting]:
        """New entries for the documents that were seen and of which more is known now than before."""
        entries: dict[str, Sighting] = {}
        for document_id, listings in self.seen.items():
            before = self.before.get(document_id)
            now = Sighting((before.listings if before else frozenset()) | listings, 0)
            if now != before:
                entries[document_id] = now
        return entries

    def absent(self) -> dict[str, Sighting]:
        """New entries for the documents that this visit missed; only for a visit that ended without an error."""
        entries: dict[str, Sighting] = {}
        for document_id, before in self.before.items():
            if document_id in self.seen or before.missed >= SIGHTINGS_OF_ABSENCE:
                continue
            if document_id in self.gone or self._is_missing(before):
                entries[document_id] = replace(before, missed=before.missed + 1)
        return entries

    def _is_missing(self, before: Sighting) -> bool:
        return bool(before.listings & self.read) or (before.missed > 0 and bool(before.listings & self.confirmed))
