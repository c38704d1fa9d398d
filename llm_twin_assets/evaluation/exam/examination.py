"""One model sits the exam: what it answers, kept as it comes, and what all measures make of it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets.evaluation.comparison import BITS_PER_BYTE, Scores
from llm_twin_assets.evaluation.exam.exam import Exam
from llm_twin_assets.evaluation.exam.generation import Output, Prompt, outputs, spool_of
from llm_twin_assets.evaluation.exam.kept import kept
from llm_twin_assets.evaluation.measure import DocumentValue, Measured
from llm_twin_assets.evaluation.measures.answers import answer_measures, served
from llm_twin_assets.evaluation.measures.authorship import Verifier, authorship
from llm_twin_assets.evaluation.measures.benchmark_tasks import task_measures
from llm_twin_assets.evaluation.measures.bits_per_byte import score_documents
from llm_twin_assets.evaluation.measures.canaries import EXPOSURE, canary_measures
from llm_twin_assets.evaluation.measures.choice import CHOICE, choice_measures
from llm_twin_assets.evaluation.measures.choice_likelihood import Likelihood
from llm_twin_assets.evaluation.measures.profiles import Profile, profile_measures
from llm_twin_assets.evaluation.measures.secrets import VerbatimIndex, secret_measures
from llm_twin_assets.evaluation.measures.speech import speech_measures


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that is examined: what it is called, the digest of its files, where they are."""

    name: str
    digest: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a model has answered; `seconds` is what that took now, next to nothing where it was kept from before."""

    subject: Subject
    bits_per_byte: list[DocumentValue]
    choice: list[DocumentValue]
    exposure: list[DocumentValue]
    tasks: Measured
    unaided: list[Output]
    grounded: list[Output]
    seconds: float

    @property
    def written(self) -> list[Output]:
        """All that it wrote."""
        return [*self.unaided, *self.grounded]

    @property
    def tokens(self) -> int:
        """How many it read and wrote in answering."""
        return sum(each.prompt_tokens + each.completion_tokens for each in self.written)


@dataclass(frozen=True, slots=True)
class MarkingKey:
    """By what answers are marked: who writes like the author, what was trained on, what counts as personal.

    `lacking` says what cannot be measured, and why.
    """

    verifier: Verifier | None
    least_auc: float
    author: Profile
    trained: VerbatimIndex
    scrubber: Scrubber
    lacking: tuple[str, ...] = ()


def sit(subject: Subject, exam: Exam, cache: Path) -> Sheet:
    """Let a model answer. What is below `cache` already is not asked again, so a run that was killed goes on."""
    started = time.monotonic()

    def answered(prompts: tuple[Prompt, ...]) -> list[Output]:
        return outputs(subject.folder, prompts, exam.decoding, spool_of(cache, subject.digest, prompts, exam.decoding))

    file = cache / digest([subject.digest, exam.digest])
    return Sheet(
        subject=subject,
        bits_per_byte=score_documents(subject.folder, exam.texts, file.with_suffix(".bits.jsonl")),
        choice=_chosen(subject, exam, file.with_suffix(".choice.jsonl")),
        exposure=_exposed(subject, exam, file.with_suffix(".canaries.jsonl")),
        tasks=task_measures(
            subject.folder, exam.benchmarks, exam.decoding.batch_size, cache / f"tasks-{subject.digest}"
        ),
        unaided=answered(exam.unaided),
        grounded=answered(exam.grounded),
        seconds=time.monotonic() - started,
    )


def mark(sheet: Sheet, exam: Exam, key: MarkingKey) -> Scores:
    """All measures of one model."""
    style: Measured = authorship(key.verifier, sheet.unaided, key.least_auc) if key.verifier else {}
    return Scores(
        measured={
            BITS_PER_BYTE: sheet.bits_per_byte,
            **style,
            **profile_measures(sheet.unaided, key.author),
            **answer_measures(served(sheet.grounded, exam.record, exam.length)),
            CHOICE: sheet.choice,
            **exam.found,
            **speech_measures(sheet.unaided),
            **sheet.tasks,
            **secret_measures(sheet.written, key.trained, key.scrubber),
            **({EXPOSURE: sheet.exposure} if sheet.exposure else {}),
        },
        sizes=exam.sizes,
    )


def _chosen(subject: Subject, exam: Exam, file: Path) -> list[DocumentValue]:
    def values(documents: Sequence[str]) -> Iterator[float]:
        asked = [each for each in exam.choices if each.sample.document_id in documents]
        likelihood = Likelihood(subject.folder, exam.decoding.batch_size)
        yield from (each.value for each in choice_measures(asked, likelihood, exam.record.author_name)[CHOICE])

    return kept(file, list(dict.fromkeys(each.sample.document_id for each in exam.choices)), values)


def _exposed(subject: Subject, exam: Exam, file: Path) -> list[DocumentValue]:
    planted = {each.name: each for each in exam.canaries}

    def values(names: Sequence[str]) -> Iterator[float]:
        likelihood = Likelihood(subject.folder, exam.decoding.batch_size)
        measured = canary_measures((planted[name] for name in names), likelihood, exam.record.author_name)
        yield from (each.value for each in measured[EXPOSURE])

    return kept(file, list(planted), values)
