"""The assets of batch answers: the questions (from outside) and what the released twin answers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import dagster as dg

from llm_twin_assets.batch.answering import answered
from llm_twin_assets.batch.answers import answer_key, put_answers, unanswered
from llm_twin_assets.batch.questions import questions_of
from llm_twin_assets.domain.identity import digest_of_set
from llm_twin_assets.domain.pause import is_paused
from llm_twin_assets.domain.preview import markdown_table
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.batch import BatchAnswer, BatchFailure, BatchQuestion
from llm_twin_assets.partitions import AUTHORS, OWNERS
from llm_twin_assets.release.records import current_release
from resources.errors import TwinError
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.warehouse import Warehouse

# Answers that a kill may cost: a commit takes some 20 ms, an answer a hundred times that.
_COMMIT = 16
_SHOWN = 10

QUESTIONS = dg.AssetSpec(
    key=["inference", "questions"],
    partitions_def=AUTHORS,
    group_name="inference",
    kinds={"deltalake"},
    owners=OWNERS,
    description="Questions that people want answered in a batch: table `questions`, written by `twin batch add`.",
)

Given = BatchAnswer | BatchFailure


class NothingReleasedError(TwinError):
    """There are questions, and nobody to answer them."""


@dataclass
class Answering:
    """What a run has done so far."""

    asked: int
    counts: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def note(self, question: BatchQuestion, given: Given) -> None:
        """Count one answer."""
        if isinstance(given, BatchFailure):
            self.counts["failed"] += 1
            self.failures.append(given.failed)
            return
        self.counts.update([given.outcome, *(["degraded"] if given.degraded else [])])
        if len(self.shown) < _SHOWN:
            self.shown.append((question.question[:80], given.answer[:160], given.outcome))


@dg.asset(
    key=["inference", "batch_answers"],
    deps=[QUESTIONS, dg.AssetKey(["release", "deployed"])],
    partitions_def=AUTHORS,
    group_name="inference",
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=(
        "Answers of the released twin to the questions of the table `questions`, by the service's own code: table "
        "`answers_batch`. Only what this release has not answered is asked; a run that was killed goes on."
    ),
)
def batch_answers(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    objects: dg.ResourceParam[ObjectStore],
    environment: dg.ResourceParam[Environment],
) -> dg.MaterializeResult[None]:
    """Answer what is not answered yet."""
    author = context.partition_key
    questions, release = questions_of(warehouse, author), current_release(objects, author)
    if release is None:
        if questions:
            raise NothingReleasedError(f"nothing of '{author}' is released", mend="First `twin approve`.")
        return dg.MaterializeResult(metadata={"questions": 0})
    paused = is_paused(objects, author)
    left = unanswered(warehouse, author, questions, release, again=True, paused=paused)
    done = answer_all(warehouse, release, left, answered(release, left, environment) if left else iter(()))
    if done.failures:
        context.log.warning("%d could not be answered; the first: %s", len(done.failures), done.failures[0])
    if paused:
        context.log.warning("the twin is paused: the author is quoted, and the model asked after `twin resume`")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digest_of_set(answer_key(each, release) for each in questions)[:16]),
        metadata={
            "release": release.release_id,
            "questions": len(questions),
            "asked": done.asked,
            "paused": paused,
            **done.counts,
            "preview": dg.MetadataValue.md(markdown_table(("question", "answer", "outcome"), done.shown)),
        },
    )


def answer_all(
    warehouse: Warehouse, release: Release, questions: list[BatchQuestion], given: Iterator[Given]
) -> Answering:
    """Record the answers to questions as they come, some at a time."""
    done, pairs = Answering(len(questions)), zip(questions, given, strict=True)
    while some := list(islice(pairs, _COMMIT)):
        for question, each in some:
            done.note(question, each)
        put_answers(
            warehouse,
            release,
            [(question, each) for question, each in some if isinstance(each, BatchAnswer)],
            datetime.now(UTC),
        )
    return done
