"""What a model writes to the prompts of the evaluation: the likeliest tokens, batch by batch, each batch kept at once.

Asked are the sealed samples, whose answers are the author's own text: without passages, which shows what the model has
learnt, or with those that retrieval finds (answers.py), as the service asks.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from llm_twin_assets.datasets.preference_generation import generate
from llm_twin_assets.datasets.preference_spec import Answer, Conversation, GenerationSpec, Turn, answers
from llm_twin_assets.domain.identity import Json, digest
from llm_twin_assets.domain.sample import Sample
from llm_twin_assets.features.language import detect_language
from llm_twin_assets.inference.prompts import Message, messages

# Half as much more than the author wrote is enough to show that a model does not end.
_LENGTH_RATIO = 1.5
_GREEDY = 0.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation to answer, and the sealed sample whose answer is the author's own."""

    sample: Sample
    messages: tuple[Message, ...]

    @property
    def key(self) -> str:
        """What its answer is kept under."""
        return self.sample.sample_id


@dataclass(frozen=True, slots=True)
class Output:
    """What a model wrote to a prompt; `finished` is False where it had not ended when it had to."""

    prompt: Prompt
    text: str
    finished: bool
    special_tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def document_id(self) -> str:
        """The sealed document that the prompt is about."""
        return self.prompt.sample.document_id


@dataclass(frozen=True, slots=True)
class Decoding:
    """How much is written, and how much at once."""

    max_new_tokens: int = 96
    batch_size: int = 8


def spread(samples: Iterable[Sample], most: int) -> list[Sample]:
    """So many samples, of every document about as many; which ones depends on their identity alone."""
    documents: dict[str, list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=lambda each: hashlib.sha256(each.sample_id.encode()).digest()):
        documents[sample.document_id].append(sample)
    turns = zip_longest(*(documents[each] for each in sorted(documents)))
    return [sample for sample in chain.from_iterable(turns) if sample is not None][:most]


def unaided(samples: Iterable[Sample], author_name: str) -> list[Prompt]:
    """The samples as training asks them: no passages."""
    return [Prompt(each, tuple(messages(each.instruction, author_name=author_name))) for each in samples]


def is_prose(sample: Sample) -> bool:
    """Whether the author's answer is in the natural language of its document: code is in none."""
    return sample.language is not None and detect_language(sample.answer) == sample.language


def prompts_digest(prompts: Sequence[Prompt]) -> str:
    """sha256 of what is asked and of the answers that count as right."""
    return digest([[each.key, _asked(each), each.sample.answer] for each in prompts])


def outputs(folder: Path, prompts: Sequence[Prompt], decoding: Decoding, spool: Path) -> list[Output]:
    """What the model of a folder answers, in order; a prompt that leaves no room for an answer has an empty one.

    `spool` is a folder that belongs to this model, these prompts and this decoding (`spool_of`). What it holds is not
    asked again: after a kill at most one batch is. Raises `TwinError` if the model cannot be loaded.
    """
    spool.mkdir(parents=True, exist_ok=True)
    known = _read(spool)
    left = [each for each in prompts if each.key not in known]
    complete = spool / "complete"
    if left and not complete.is_file():
        # A file for each attempt: the last line of one that was killed may be half a line.
        output = spool / f"{len(list(spool.glob('*.jsonl'))):04d}.jsonl"
        generate(_spec(folder, left, decoding, output))
        complete.touch()
        known = _read(spool)
    return [_output(each, known.get(each.key)) for each in prompts]


def spool_of(cache: Path, model_digest: str, prompts: Sequence[Prompt], decoding: Decoding) -> Path:
    """Where the answers of one model to these prompts are kept."""
    key: Json = [model_digest, prompts_digest(prompts), decoding.max_new_tokens, decoding.batch_size, _LENGTH_RATIO]
    return cache / digest(key)


def _asked(prompt: Prompt) -> list[Json]:
    return [[turn["role"], turn["content"]] for turn in prompt.messages]


def _read(spool: Path) -> dict[str, Answer]:
    return {answer.key: answer for file in sorted(spool.glob("*.jsonl")) for answer in answers(file)}


def _spec(folder: Path, prompts: Sequence[Prompt], decoding: Decoding, output: Path) -> GenerationSpec:
    conversations = tuple(
        Conversation(
            key=each.key,
            messages=tuple(Turn(**turn) for turn in each.messages),
            wanted=each.sample.answer,
            length_ratio=_LENGTH_RATIO,
        )
        for each in prompts
    )
    return GenerationSpec(
        model=folder,
        conversations=conversations,
        max_new_tokens=decoding.max_new_tokens,
        batch_size=decoding.batch_size,
        temperature=_GREEDY,
        seed=0,
        output=output,
    )


def _output(prompt: Prompt, answer: Answer | None) -> Output:
    if answer is None:
        return Output(prompt, "", finished=False)
    return Output(
        prompt,
        answer.text,
        answer.finished,
        answer.special_tokens,
        answer.prompt_tokens,
        answer.completion_tokens,
    )
