"""The events of one visit taken in: judged, gathered, and written: documents first, then what speaks of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import singledispatchmethod

from llm_twin_assets.collection.connector import (
    Collectable,
    Found,
    Gone,
    Listed,
    Notice,
    Quarantined,
    Remember,
    RobotsSkipped,
    Seen,
)
from llm_twin_assets.collection.engine import state, stored
from llm_twin_assets.collection.engine.collected import Collected
from llm_twin_assets.collection.engine.documents import Origin, Scrubbing, raw_document, unstorable
from llm_twin_assets.collection.engine.editions import Known, Verdict, judge, known_of
from llm_twin_assets.collection.engine.sightings import SIGHTINGS_OF_ABSENCE, Sightings
from llm_twin_assets.collection.reading.canonical_url import url_key
from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.domain.forgotten import Forgotten
from llm_twin_assets.domain.identity import Json, document_id
from resources.warehouse import Warehouse

# A commit costs some 15 ms whatever its size; a batch that is lost in a crash is fetched again.
BATCH_DOCUMENTS = 200
BATCH_CHARACTERS = 8 * 2**20
BATCH_ENTRIES = 2_000


class Intake:
    """Takes events in order. `known` is shared by the sources of an author and kept up to date."""

    def __init__(
        self,
        warehouse: Warehouse,
        origin: Origin,
        scrubbing: Scrubbing,
        known: dict[str, Known],
        before: state.SourceState,
        now: datetime,
        forgotten: Forgotten = Forgotten(),  # noqa: B008 - frozen
    ) -> None:
        self.collected = Collected(origin.source)
        self._warehouse = warehouse
        self._origin = origin
        self._scrubbing = scrubbing
        self._known = known
        self._now = now
        self._forgotten = forgotten
        self._sightings = Sightings(before.sightings)
        self._documents: dict[str, RawDocument] = {}
        self._characters = 0
        self._entries: list[state.Entry] = []
        self._restored: dict[str, Known] = {}

    @property
    def is_full(self) -> bool:
        """Whether it is time to `flush`."""
        return (
            len(self._documents) >= BATCH_DOCUMENTS
            or self._characters >= BATCH_CHARACTERS
            or len(self._entries) >= BATCH_ENTRIES
        )

    @singledispatchmethod
    def take(self, event: Collectable) -> None:
        """One event; nothing is written before `flush`."""
        raise TypeError(f"a connector yielded {type(event).__name__}")

    @take.register
    def _(self, event: Found) -> None:
        if reason := unstorable(event):
            self.collected.quarantine(reason)
            return
        if self._forgotten.covers(document_id(self._origin.author, event.stable_id), event.url and url_key(event.url)):
            self.collected.forgotten += 1
            return
        document, scrubbed = raw_document(event, self._origin, self._scrubbing, self._now)
        self.collected.found += 1
        self.collected.scrubbed += scrubbed
        self.collected.dated_by[event.dated_by] += 1
        self.collected.categories[event.category.plural] += 1
        self.collected.excerpts += event.excerpt
        self.collected.show(document)
        self._sightings.saw(document.document_id, event.listing)
        self._gather(document)

    @take.register
    def _(self, event: Seen) -> None:
        identity = document_id(self._origin.author, event.stable_id)
        if identity in self._known or identity in self._documents:  # not a file that could never be read
            self._sightings.saw(identity, event.listing)
            self._stands(identity)

    @take.register
    def _(self, event: Gone) -> None:
        self._sightings.is_gone(document_id(self._origin.author, event.stable_id))

    @take.register
    def _(self, event: Listed) -> None:
        self._sightings.was_read(event)

    @take.register
    def _(self, event: Remember) -> None:
        if self._is_of_forgotten(event):
            return
        self._entries.append(state.Entry("memory", event.key, event.value))
        if event.key == "cursor":
            self.collected.cursor = event.value

    @take.register
    def _(self, event: Notice) -> None:
        self.collected.notices.append(event.what)

    @take.register
    def _(self, event: RobotsSkipped) -> None:
        self.collected.skip_for_robots(event.url)

    @take.register
    def _(self, event: Quarantined) -> None:
        self.collected.quarantine(event)

    def flush(self) -> None:
        """Write what was gathered; safe to be killed at any point and to be done again."""
        written = [self._revised(each) for each in self._documents.values() if self._is_to_write(each)]
        stored.write(self._warehouse, self._origin.author, written)
        moved = [old for each in written if (old := self._moved(each))]
        stored.set_removed(self._warehouse, self._origin.author, moved, self._now)
        stored.set_removed(self._warehouse, self._origin.author, self._restored.values(), None)
        self._known.update({each.document_id: known_of(each) for each in written})
        self._known.update({key: replace(each, removed=False) for key, each in self._restored.items()})
        state.save(self._warehouse, self._origin.author, self._origin.source, self._entries)
        self._documents, self._characters, self._entries, self._restored = {}, 0, [], {}

    def close(self, engine: Mapping[str, Json], *, whole: bool) -> None:
        """The end of the visit: sightings are counted; absences only where the visit was `whole`."""
        self.flush()
        present, absent = self._sightings.present(), self._sightings.absent() if whole else {}
        gone = [
            known
            for key, sighting in absent.items()
            if sighting.missed >= SIGHTINGS_OF_ABSENCE and (known := self._known.get(key)) and not known.removed
        ]
        stored.set_removed(self._warehouse, self._origin.author, gone, self._now)
        self._known.update({each.document_id: replace(each, removed=True) for each in gone})
        self.collected.removed = len(gone)
        self.collected.unchanged = max(
            len(self._sightings.seen) - self.collected.new - self.collected.changed - self.collected.restored, 0
        )
        entries = [state.Entry("sighting", key, each.to_json()) for key, each in (present | absent).items()]
        entries += [state.Entry("engine", key, value) for key, value in engine.items()]
        state.save(self._warehouse, self._origin.author, self._origin.source, entries)

    @property
    def saw_anything(self) -> bool:
        """Whether this visit or an earlier one saw a document of the source."""
        return bool(self._sightings.seen or self._sightings.before or self.collected.forgotten)

    def _is_of_forgotten(self, event: Remember) -> bool:
        stated = event.value.get("stable_id") if isinstance(event.value, Mapping) else None
        return isinstance(stated, str) and self._forgotten.covers(document_id(self._origin.author, stated))

    def _gather(self, document: RawDocument) -> None:
        """Of two documents of one visit with the same identity the better one is gathered."""
        before = self._documents.get(document.document_id)
        if before is not None:
            self.collected.duplicates += 1
            if judge(known_of(before), document) in (Verdict.KEPT, Verdict.UNCHANGED):
                return
            self._characters -= len(before.content)
        self._documents[document.document_id] = document
        self._characters += len(document.content)

    def _is_to_write(self, document: RawDocument) -> bool:
        known = self._known.get(document.document_id)
        verdict = judge(known, document)
        if verdict is Verdict.NEW:
            self.collected.new += 1
            return True
        if verdict is Verdict.CHANGED:
            self.collected.changed += 1
            return True
        self.collected.kept += verdict is Verdict.KEPT
        self._stands(document.document_id)
        return False

    def _revised(self, document: RawDocument) -> RawDocument:
        known = self._known.get(document.document_id)
        return replace(document, revision=known.revision + 1) if known else document

    def _stands(self, identity: str) -> None:
        """A removed document that is seen again comes back with the text that it had."""
        known = self._known.get(identity)
        if known and known.removed and identity not in self._restored:
            self._restored[identity] = known
            self.collected.restored += 1

    def _moved(self, document: RawDocument) -> Known | None:
        known = self._known.get(document.document_id)
        return known if known and known.category is not document.category and not known.removed else None
