"""The asset `monitoring/feedback`."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import dagster as dg

from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, Feedback, feedback_of, feedback_table
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Forgotten
from llm_twin_assets.domain.identity import digest, digest_of_set
from llm_twin_assets.domain.remark import Answered, Remark
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets.inference.spans import project_of
from llm_twin_assets.monitoring.feedback import PATIENCE, Gathered, Shelf, answers_in, gathered
from llm_twin_assets.monitoring.feedback_traces import answers_of_traces, remarks_on_page, unwritten
from llm_twin_assets.monitoring.traces import TracesUnavailableError
from llm_twin_assets.partitions import AUTHORS, OWNERS
from resources.object_store import ObjectStore
from resources.phoenix_annotations import AnnotationsUnavailableError, PhoenixAnnotations
from resources.settings import Environment, Settings
from resources.warehouse import Warehouse

FEEDBACK = dg.AssetKey(["monitoring", "feedback"])
UNAVAILABLE = (TracesUnavailableError, AnnotationsUnavailableError)


@dataclass(frozen=True, slots=True)
class Collected:
    """What was gathered, how many annotations Phoenix was told, and how many rows it could not be told of yet.

    `trouble` is why it could not be asked, if it could not: then what needs it waits.
    """

    gathered: Gathered
    told: int = 0
    untold: int = 0
    trouble: str | None = None


@dataclass(frozen=True)
class Collecting:
    """One author's feedback, and where it comes from."""

    author: str
    objects: ObjectStore
    warehouse: Warehouse
    settings: Settings
    url: str

    def collect(self, now: datetime) -> Collected:
        """Bring the table and Phoenix up to date."""
        before = feedback_of(self.warehouse.read(FEEDBACK_TABLE, self.author))
        shelf = Shelf.of(self.objects, self.author)
        remarks = shelf.read(self.objects, (name for row in before for name in row.remarks))
        answers: Mapping[str, Answered] = {}
        trouble = None
        if self.url:
            try:
                self._phoenix.offer(project_of(self.author))
                on_page = remarks_on_page(self._phoenix, self.url, self.author, before, now)
                remarks |= {name: each for name, each in on_page.items() if not shelf.is_forgotten(each.answer_id)}
                answers = answers_of_traces(self.url, self.author, _unknown(remarks, before))
            except UNAVAILABLE as error:
                trouble = str(error)
        scrubber = Scrubber.of(self.settings.collection.scrub, self.settings.author(self.author).public)
        forgotten = Forgotten.of(self.author, self.warehouse.read(FORGOTTEN_TABLE, self.author))
        found = gathered(remarks, before, answers, forgotten, scrubber, now)
        self._write(found.rows)
        untold = _untold(found.rows, before, now) if self.url else []
        if trouble:
            return Collected(found, untold=len(untold), trouble=trouble)
        try:
            return self._tell(found, untold)
        except UNAVAILABLE as error:
            return Collected(found, untold=len(untold), trouble=str(error))

    @cached_property
    def _phoenix(self) -> PhoenixAnnotations:
        return PhoenixAnnotations(self.url, words=not self.settings.tracing.hides_words)

    def _tell(self, found: Gathered, untold: Sequence[Feedback]) -> Collected:
        """Have Phoenix show these rows; what it has no trace of waits."""
        lacking, without_trace = unwritten(self._phoenix, self.url, self.author, untold)
        self._phoenix.put(lacking)
        self._write([replace(each, in_phoenix=True) for each in untold if each.feedback_id not in without_trace])
        return Collected(found, len(lacking), len(without_trace))

    def _write(self, rows: Sequence[Feedback]) -> None:
        if rows:
            self.warehouse.upsert(FEEDBACK_TABLE, feedback_table(rows), self.author, identity="feedback_id")


@dg.asset(
    key=FEEDBACK,
    partitions_def=AUTHORS,
    group_name="monitoring",
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=(
        "What people said of answers, in the table `feedback` of the warehouse: to the service, or on Phoenix's own "
        "page. What the service was told and Phoenix lacks is annotated there. Corrections go on into the datasets."
    ),
)
def feedback(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    settings: dg.ResourceParam[Settings],
    environment: dg.ResourceParam[Environment],
) -> dg.MaterializeResult[None]:
    """Gather what is new; done again it changes nothing."""
    started = time.monotonic()
    author = context.partition_key
    collecting = Collecting(author, objects, warehouse, settings, environment.phoenix_url)
    done = collecting.collect(datetime.now(UTC))
    if done.trouble:
        context.log.info("what needs Phoenix waits: %s", done.trouble)
    rows = feedback_of(warehouse.read(FEEDBACK_TABLE, author))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(learnt_from(rows)),
        metadata={
            **_counts(rows),
            "new_or_changed": len(done.gathered.rows),
            "waiting": done.gathered.waiting + done.untold,
            "lost": done.gathered.lost,
            "of_forgotten_documents": done.gathered.forgotten,
            "told_to_phoenix": done.told,
            "phoenix": done.trouble or "up to date",
            "seconds": round(time.monotonic() - started, 2),
        },
    )


def _unknown(remarks: Mapping[str, Remark], before: Sequence[Feedback]) -> set[str]:
    known = {*answers_in(remarks), *(row.answer_id for row in before)}
    return {each.answer_id for each in remarks.values()} - known


def _untold(new: Sequence[Feedback], before: Sequence[Feedback], now: datetime) -> list[Feedback]:
    rows = {each.feedback_id: each for each in (*before, *new)}
    return [each for each in rows.values() if not each.in_phoenix and now - each.created_at < PATIENCE]


def learnt_from(rows: Sequence[Feedback]) -> str:
    """Digest of what datasets take from feedback: a comment or a score makes no new dataset."""
    fields = ("question", "answer", "corrected_text", "thumb", "author_key")
    return digest_of_set(digest([each.feedback_id, *(getattr(each, name) for name in fields)]) for each in rows)


def _counts(rows: Sequence[Feedback]) -> dict[str, int]:
    thumbs = Counter(each.thumb for each in rows)
    return {
        "rows": len(rows),
        "thumbs_up": thumbs["up"],
        "thumbs_down": thumbs["down"],
        "comments": sum(each.comment is not None for each in rows),
        "corrections": sum(each.corrected_text is not None for each in rows),
        "corrections_by_the_author": sum(each.corrected_text is not None and each.author_key for each in rows),
    }
