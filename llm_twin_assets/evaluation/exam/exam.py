"""What every model of a comparison is asked: the same sealed documents, the same prompts, the same passages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.sample import Sample
from llm_twin_assets.evaluation.exam.generation import Decoding, Prompt, prompts_digest, spread, unaided
from llm_twin_assets.evaluation.measure import Measured
from llm_twin_assets.evaluation.measures.answers import OpenRecord, PromptLength, grounded, retrieval_recall
from llm_twin_assets.evaluation.measures.choice import Choice, choices
from llm_twin_assets.evaluation.sealed import Read, Seal, SealedDocument
from resources.benchmark_settings import Benchmarks
from resources.canary_settings import Canary
from resources.evaluation_settings import Evaluation


@dataclass(frozen=True, slots=True)
class Exam:
    """`unaided` asks for what a model has learnt, `grounded` for what it makes of passages, as the service does.

    `found` is how well retrieval does, whatever the model.
    """

    documents: tuple[SealedDocument, ...]
    unaided: tuple[Prompt, ...]
    grounded: tuple[Prompt, ...]
    choices: tuple[Choice, ...]
    found: Measured
    record: OpenRecord
    length: PromptLength
    decoding: Decoding
    canaries: tuple[Canary, ...]
    benchmarks: Benchmarks

    @property
    def texts(self) -> Mapping[str, str]:
        """The sealed documents by id."""
        return {document.document_id: document.text for document in self.documents}

    @property
    def sizes(self) -> Mapping[str, float]:
        """Their UTF-8 bytes."""
        return {document.document_id: float(document.size) for document in self.documents}

    @property
    def digest(self) -> str:
        """sha256 of all that is asked, and of what counts as right."""
        prompts = prompts_digest([*self.unaided, *self.grounded])
        canaries = [each.model_dump() for each in self.canaries]
        return digest([dict(self.texts), prompts, [list(each.answers) for each in self.choices], canaries])


@dataclass(frozen=True, slots=True)
class Paper:
    """An exam, and what it was made of: the dataset version, the texts that training read, and strangers' by name."""

    exam: Exam
    dataset: str
    read: tuple[Read, ...]
    strangers: Mapping[str, str]
    proof: Seal


def exam_for(
    samples: Sequence[Sample],
    documents: Sequence[SealedDocument],
    strangers: Iterable[str],
    record: OpenRecord,
    folders: Iterable[Path],
    settings: Evaluation,
) -> Exam:
    """The exam on sealed documents and samples of them; `strangers` are texts that are not the author's."""
    asked, length = spread(samples, settings.prompts), PromptLength(folders)
    return Exam(
        documents=tuple(documents),
        unaided=tuple(unaided(asked, record.author_name)),
        grounded=tuple(grounded(asked, record, length)),
        choices=tuple(choices(asked, samples, strangers)),
        found=retrieval_recall(asked, record),
        record=record,
        length=length,
        decoding=Decoding(settings.max_new_tokens, settings.batch_size),
        canaries=settings.canaries,
        benchmarks=settings.benchmarks,
    )
