"""Watching an author's answers: read what is new, hold it against the rules, write down what rings. No Dagster here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pydantic import BaseModel, ConfigDict

from llm_twin_assets.monitoring.alarm_records import alarms, change, closed, put_new
from llm_twin_assets.monitoring.answer_traces import read_answers
from llm_twin_assets.monitoring.history import CorpusSample, History, no_corpus
from llm_twin_assets.monitoring.rules import RULE_ENGINE, due, evaluate
from llm_twin_assets.monitoring.stored_answers import record, stored_answers
from resources.monitoring_settings import Monitoring, Rule
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse

# A commit of the warehouse each time: every minute would be ten thousand a week.
_READ_EVERY = timedelta(minutes=5)
# Answers read at a time: a second or two, so that a sensor that is stopped in between loses little.
_AT_ONCE = 100


class Progress(BaseModel):
    """How far an author's answers have been read and looked at. Lost, all is read and looked at again, to no harm.

    `shown` are the alarms that the release's check was last evaluated for.
    """

    model_config = ConfigDict(frozen=True)

    position: str | None = None
    read_at: datetime | None = None
    looked_at: datetime | None = None
    more: bool = False
    shown: tuple[str, ...] = ()

    def is_due(self, now: datetime) -> bool:
        """Whether Phoenix is to be asked again."""
        return self.more or self.read_at is None or now - self.read_at >= _READ_EVERY


@dataclass(frozen=True, slots=True)
class Watch:
    """What it takes to watch."""

    phoenix_url: str
    warehouse: Warehouse
    objects: ObjectStore
    monitoring: Monitoring
    corpus: CorpusSample = no_corpus

    def read(self, author: str, progress: Progress, now: datetime) -> Progress:
        """Put what answers are new into the warehouse; raises `TracesUnavailableError`."""
        found = read_answers(
            self.phoenix_url, author, progress.position, now, None if progress.more else progress.read_at, _AT_ONCE
        )
        record(self.warehouse, author, found.answers)
        return progress.model_copy(update={"position": found.position, "read_at": now, "more": found.more})

    def look(self, author: str, progress: Progress, now: datetime) -> Progress:
        """Open and close alarms by the rules that have something new to look at; none while answers wait to be read."""
        rules = dict(due(self.monitoring.rules, now, progress.looked_at))
        if progress.more or not rules:
            return progress
        answers = stored_answers(self.warehouse, author, vectors=_needs_vectors(rules))
        history = History.of(author, answers, self.monitoring.reference_answers, progress.read_at, self.corpus)
        changes = evaluate(self.monitoring, history, now, alarms(self.objects, author), progress.looked_at)
        for alarm in changes.opened:
            put_new(self.objects, alarm)
        for alarm in changes.closed:
            # By its record: somebody may have acknowledged it meanwhile.
            change(self.objects, author, alarm.alarm_id, partial(closed, by=RULE_ENGINE, note=alarm.note, now=now))
        return progress.model_copy(update={"looked_at": now})


def _needs_vectors(rules: Mapping[str, Rule]) -> bool:
    return any(rule.metric in ("drift", "corpus_drift") for rule in rules.values())
