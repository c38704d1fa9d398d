"""Answers from the record: what the service's own pipeline answers to sealed instructions, with what retrieval finds.

It runs twice: once to hear what it would ask a model, so that generation.py can ask all of that in batches, and once
with what the model answered.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.domain.sample import Sample
from llm_twin_assets.evaluation.exam.generation import Output, Prompt
from llm_twin_assets.evaluation.measure import Measure, Measured, by_document
from llm_twin_assets.evaluation.measures.answer_overlap import chrf, rouge_l, word_f1
from llm_twin_assets.features.retrieve import QuestionEncoder, Retriever
from llm_twin_assets.inference.answer import Answer, Limits, Outcome, Twin, answer
from llm_twin_assets.inference.citations import Citation
from llm_twin_assets.inference.engine import Cancellation, Engine, EngineError, Generated, Piece, Sampling
from llm_twin_assets.inference.prompts import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ANSWER_F1 = Measure("answer_f1", "word F1 of answers with the author's own passage", "non_inferior", "higher")
ROUGE_L = Measure("rouge_l", "ROUGE-L of answers with the author's own passage", "report", "higher")
CHRF = Measure("chrf", "chrF of answers with the author's own passage", "report", "higher")
SUPPORTED = Measure("supported", "answers that need not be replaced by quotes", "report", "higher")
PRECISION = Measure("citation_precision", "citations that lie in the author's own passage", "non_inferior", "higher")
RECALL = Measure("citation_recall", "share of the author's own passage that is cited", "report", "higher")
RETRIEVED = Measure("retrieval_recall", "share of the author's own passage that retrieval finds", "report", "higher")

# Room for the passages of `serving.k`: the whole context of a large model would only make evaluation slower.
_CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """What an author's answers stand on, opened for answering: the same for all models that are compared."""

    author: str
    author_name: str
    retriever: Retriever
    embedder: QuestionEncoder
    limits: Limits

    def answered(self, engine: Engine, sample: Sample) -> Answer:
        """What the service would answer with that engine."""
        twin = Twin(self.author, self.author_name, self.retriever, self.embedder, engine)
        return answer(twin, sample.instruction, limits=self.limits)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model wrote with the passages before it, and what a reader gets of that."""

    output: Output
    answer: Answer


class PromptLength:
    """How many tokens a prompt has at most: what fits one of the models that are compared has to fit the others."""

    def __init__(self, folders: Iterable[Path]) -> None:
        from transformers import AutoTokenizer

        self._tokenizers = [AutoTokenizer.from_pretrained(each, local_files_only=True) for each in folders]
        self.context_tokens = min(_CONTEXT, *(int(each.model_max_length) for each in self._tokenizers))

    def __call__(self, messages: Sequence[Message]) -> int:
        """The most that any of the models needs."""
        return max(_length(tokenizer, messages) for tokenizer in self._tokenizers)


def grounded(samples: Sequence[Sample], record: OpenRecord, length: PromptLength) -> list[Prompt]:
    """The samples as the service would ask them, passages and all; those for which it finds nothing are left out."""
    prompts = []
    for sample in samples:
        listener = _Recorded(length)
        record.answered(listener, sample)
        prompts += [Prompt(sample, asked) for asked in listener.asked]
    return prompts


def served(outputs: Sequence[Output], record: OpenRecord, length: PromptLength) -> list[Answered]:
    """What the service makes of the answers to grounded prompts: supported and cited, or replaced by quotes."""
    recorded = _Recorded(length, {_key(each.prompt.messages): each for each in outputs})
    return [Answered(each, record.answered(recorded, each.prompt.sample)) for each in outputs]


def answer_measures(answered: Sequence[Answered]) -> Measured:
    """The model's own words against the author's passage, and the citations of what was served."""
    rows = [(each, each.output.prompt.sample, each.output.text) for each in answered]
    measured = {
        measure: by_document((sample.document_id, overlap(text, sample.answer)) for _, sample, text in rows)
        for measure, overlap in ((ANSWER_F1, word_f1), (ROUGE_L, rouge_l), (CHRF, chrf))
    }
    measured[SUPPORTED] = by_document(
        (sample.document_id, float(each.answer.outcome is Outcome.ANSWERED)) for each, sample, _ in rows
    )
    for measure, share in ((PRECISION, citation_precision), (RECALL, citation_recall)):
        measured[measure] = by_document(
            (sample.document_id, share(each.answer.citations, sample)) for each, sample, _ in rows
        )
    return measured


def retrieval_recall(samples: Sequence[Sample], record: OpenRecord) -> Measured:
    """How much of the passage that answers an instruction is found for it; a model has no part in it."""
    found = [(each, record.retriever.find(each.instruction, record.limits.k).chunks) for each in samples]
    return {
        RETRIEVED: by_document(
            (sample.document_id, _covered(sample, [(each.document_id, each.start, each.end) for each in chunks]))
            for sample, chunks in found
        )
    }


def citation_precision(citations: Sequence[Citation], sample: Sample) -> float:
    """The share that touches the sample's passage; 0 for an answer without any (ALCE, Gao et al., EMNLP 2023, §3)."""
    right = sum(_shared(each, sample) > 0 for each in _places(citations))
    return right / len(citations) if citations else 0.0


def citation_recall(citations: Sequence[Citation], sample: Sample) -> float:
    """The share of the characters of the sample's passage that is cited."""
    return _covered(sample, _places(citations))


Place = tuple[str, int, int]


def _places(citations: Sequence[Citation]) -> list[Place]:
    return [(each.document_id, each.start, each.end) for each in citations]


def _shared(place: Place, sample: Sample) -> int:
    document, start, end = place
    return max(0, min(end, sample.end) - max(start, sample.start)) if document == sample.document_id else 0


def _covered(sample: Sample, places: Sequence[Place]) -> float:
    """Places may overlap: a character counts once."""
    covered: set[int] = set()
    for place in places:
        if _shared(place, sample):
            covered.update(range(max(place[1], sample.start), min(place[2], sample.end)))
    return len(covered) / (sample.end - sample.start)


@dataclass(frozen=True)
class _Recorded:
    """An engine whose answers are known beforehand; what it is asked besides is noted."""

    length: PromptLength
    answers: Mapping[str, Output] = field(default_factory=dict)
    asked: list[tuple[Message, ...]] = field(default_factory=list)
    name: str = "recorded"

    @property
    def context_tokens(self) -> int:
        return self.length.context_tokens

    def token_count(self, messages: Sequence[Message]) -> int:
        return self.length(messages)

    def generate(
        self,
        messages: Sequence[Message],
        sampling: Sampling,  # noqa: ARG002 - what is known was written under it
        cancelled: Cancellation | None = None,  # noqa: ARG002
    ) -> Generated:
        known = self.answers.get(_key(messages))
        if known is None:
            self.asked.append(tuple(messages))
            raise EngineError("this was not asked before")
        return Generated(known.text, known.prompt_tokens, known.completion_tokens, known.finished)

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        generated = self.generate(messages, sampling, cancelled)
        yield Piece(generated.text)
        yield generated


def _key(messages: Sequence[Message]) -> str:
    return "\0".join(f"{turn['role']}\0{turn['content']}" for turn in messages)


def _length(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> int:
    if tokenizer.chat_template is None:
        return len(tokenizer("\n\n".join(turn["content"] for turn in messages))["input_ids"])
    encoded = tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, return_dict=True)
    return len(encoded["input_ids"])
