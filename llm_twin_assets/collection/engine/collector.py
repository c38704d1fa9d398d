"""One visit to one source: the connector's events into the warehouse, so that a crash anywhere loses nothing."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from llm_twin_assets.collection.connector import Collectable, Connector, Quarantined, SourceOptions
from llm_twin_assets.collection.engine import state
from llm_twin_assets.collection.engine.collected import Collected
from llm_twin_assets.collection.engine.documents import Origin, Scrubbing
from llm_twin_assets.collection.engine.editions import Known
from llm_twin_assets.collection.engine.intake import Intake
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.sources import shown
from llm_twin_assets.collection.visit import Person, Visit
from llm_twin_assets.domain.forgotten import Forgotten
from llm_twin_assets.domain.identity import Json, digest, document_id
from resources.errors import TwinError
from resources.http import HttpClient, UnavailableError
from resources.warehouse import Warehouse


class SourceUnreadableError(ExportError):
    """A source of which no document could be had; says what was quarantined on the way."""

    def __init__(self, source: str, quarantined: Sequence[Quarantined]) -> None:
        self.quarantined = tuple(quarantined)
        if not quarantined:
            super().__init__(
                "holds nothing published", where=source, mend="Check that it is the right one, or remove the source."
            )
            return
        first = quarantined[0]
        super().__init__(
            f"none of its {len(quarantined)} documents can be read; the first: {first.reason}", where=first.where
        )


# A polite crawl is slow: what it has is written, and told, in between.
FLUSH_SECONDS = 15.0


def _silent(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Collector:
    """What all sources of one author share; `known` is what the warehouse holds, kept up to date.

    What is `forgotten` is left where it is. `progress` is told a line now and then.
    """

    person: Person
    warehouse: Warehouse
    http: HttpClient
    scrubbing: Scrubbing
    known: dict[str, Known]
    now: datetime
    progress: Callable[[str], None] = _silent
    forgotten: Forgotten = field(default_factory=Forgotten)

    async def visit(self, found: Connector[SourceOptions], options: SourceOptions) -> Collected:
        """Visit one source. What ends the visit early is in `Collected.error`; what came before it is stored."""
        origin = Origin(self.person.key, found.platform, f"{found.platform}:{options.name()}")
        before = state.load(self.warehouse, self.person.key, origin.source)
        if waiting := _left_alone(before, self.now, origin.source):
            return Collected(origin.source, error=waiting)
        rules = self._rules(found, options)
        visit = Visit(self.person, self.now, self.http, self._memory(before, rules))
        intake = Intake(self.warehouse, origin, self.scrubbing, self.known, before, self.now, self.forgotten)
        error = await self._take_all(found.collect(options, visit), intake)
        if error is None and not intake.saw_anything:
            error = SourceUnreadableError(shown(options), intake.collected.quarantined)
        engine: dict[str, Json] = {"rules": rules, "retry_at": _retry_at(error)}
        changed = {key: value for key, value in engine.items() if before.engine.get(key) != value}
        await asyncio.to_thread(intake.close, changed, whole=error is None)
        intake.collected.error = error
        return intake.collected

    async def _take_all(self, events: AsyncIterator[Collectable], intake: Intake) -> TwinError | None:
        last = time.monotonic()
        try:
            async for event in events:
                intake.take(event)
                if intake.is_full or time.monotonic() - last > FLUSH_SECONDS:
                    # Pages go on being fetched meanwhile.
                    await asyncio.to_thread(intake.flush)
                    self.progress(intake.collected.progress())
                    last = time.monotonic()
        except TwinError as error:
            return error
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()
        return None

    def _rules(self, found: Connector[SourceOptions], options: SourceOptions) -> str:
        """Digest of what decides how a document is stored: where it changes, unchanged sources are read again."""
        return digest(
            [
                found.version,
                sorted(self.scrubbing.kinds),
                sorted(self.scrubbing.public),
                self.person.name,
                sorted(self.person.emails),
                options.model_dump_json(),
            ]
        )

    def _memory(self, before: state.SourceState, rules: str) -> Mapping[str, Json]:
        """What earlier visits remembered, but of pages whose document the warehouse does not hold."""
        if before.engine.get("rules") != rules:
            return {}
        return {key: value for key, value in before.memory.items() if self._is_held(value)}

    def _is_held(self, value: Json) -> bool:
        stable_id = value.get("stable_id") if isinstance(value, Mapping) else None
        return not isinstance(stable_id, str) or document_id(self.person.key, stable_id) in self.known


def _left_alone(before: state.SourceState, now: datetime, source: str) -> UnavailableError | None:
    """A server that asked not to be tried before some time is not."""
    stated = before.engine.get("retry_at")
    retry_at = datetime.fromisoformat(stated) if isinstance(stated, str) else None
    if retry_at is None or retry_at <= now:
        return None
    return UnavailableError(
        f"asked to be left alone until {retry_at:%Y-%m-%d %H:%M} UTC", where=source, retry_at=retry_at
    )


def _retry_at(error: TwinError | None) -> str | None:
    return error.retry_at.isoformat() if isinstance(error, UnavailableError) and error.retry_at else None
