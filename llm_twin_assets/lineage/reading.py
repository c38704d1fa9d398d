"""The part of the lineage that a name is about, from everything that a home holds. No Dagster here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llm_twin_assets.lineage.answers import answer_of, answers_of
from llm_twin_assets.lineage.graph import Key, Kind, Lineage, LineageError
from llm_twin_assets.lineage.records import Records, read_records
from llm_twin_assets.lineage.relations import lineage_of
from llm_twin_assets.monitoring.traces import TracesUnavailableError
from resources.object_store import ObjectStore
from resources.registry import registry_of
from resources.settings import Environment
from resources.vector_stores import vector_store
from resources.warehouse import Warehouse

# How OpenTelemetry writes the identity of a trace.
_TRACE = re.compile(r"(answer:)?(?P<trace>[0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Traced:
    """A thing, what it came of and what came of it; `notes` say what could not be looked at."""

    subject: Key
    lineage: Lineage
    notes: tuple[str, ...] = ()


def trace(name: str, authors: Sequence[str], environment: Environment, *, up: bool = True, down: bool = True) -> Traced:
    """What `name` came of (`up`) and what came of it (`down`); raises `LineageError` if it is not on record."""
    records = [_records(author, environment) for author in authors]
    lineage = lineage_of(*records)
    try:
        subject = lineage.find(name)
    except LineageError:
        if (said := _TRACE.fullmatch(name)) is None:
            raise
        lineage, subject = _of_answer(said["trace"], records, environment.phoenix_url)
        return Traced(subject, lineage.around(subject, up=up, down=down))
    notes: tuple[str, ...] = ()
    if down and any(key.kind is Kind.RELEASE for key in {subject} | lineage.descendants(subject)):
        own = next(each for each in records if each.author == subject.author)
        lineage, notes = _with_answers(own, environment.phoenix_url)
    return Traced(subject, lineage.around(subject, up=up, down=down), notes)


def _records(author: str, environment: Environment) -> Records:
    return read_records(
        author,
        ObjectStore(environment.under("objects")),
        Warehouse(environment.under("warehouse")),
        vector_store(environment.under("embedded")),
        registry_of(environment).verified_versions(author),
    )


def _of_answer(trace_id: str, records: Sequence[Records], phoenix: str) -> tuple[Lineage, Key]:
    for each in records:
        if found := answer_of(phoenix, each.author, trace_id):
            return lineage_of(each.with_answers([found])), Key(Kind.ANSWER, each.author, trace_id)
    raise LineageError(
        f"no answer of {', '.join(each.author for each in records)} has the trace '{trace_id}'", where=phoenix
    )


def _with_answers(records: Records, phoenix: str) -> tuple[Lineage, tuple[str, ...]]:
    try:
        found = answers_of(phoenix, records.author)
    except TracesUnavailableError as error:
        return lineage_of(records), (f"answers are left out: {error}",)
    notes = (f"of the answers only the newest {len(found.answers)} were looked at",) if found.more else ()
    return lineage_of(records.with_answers(found.answers)), notes
