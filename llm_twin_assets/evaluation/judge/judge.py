"""A chat model compares what two models wrote: each pair twice, with the order swapped.

Judges prefer what comes first (Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", NeurIPS 2023,
§3.4): a verdict that does not survive the swap is a tie, as there.
"""

from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self, TypeAlias

from pydantic import Field

from llm_twin_assets.datasets.teacher_replies import Form, UnusableReplyError, read
from llm_twin_assets.evaluation.exam.generation import Output
from llm_twin_assets.evaluation.judge.prompts import compare
from llm_twin_assets.evaluation.measure import Kind, Measure, Measured, by_document
from llm_twin_assets.inference.prompts import Message
from resources.llm_cache import Reply
from resources.llm_errors import UnansweredError
from resources.llm_gather import gathered

Winner: TypeAlias = Literal["candidate", "reference", "tie"]
# What a verdict is worth to the candidate.
WON: dict[Winner, float] = {"candidate": 1.0, "tie": 0.5, "reference": 0.0}


class Comparison(Form):
    """A judge's reply, in the order that it was asked in."""

    accuracy_a: int = Field(ge=1, le=3)
    style_a: int = Field(ge=1, le=3)
    accuracy_b: int = Field(ge=1, le=3)
    style_b: int = Field(ge=1, le=3)
    better: Literal["A", "B", "tie"]


class Completer(Protocol):
    """What answers many conversations at once; `UnansweredError` says that one has no answer."""

    def complete(self, messages: Sequence[Message], *, scope: str) -> Awaitable[Reply]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Pair:
    """What two models wrote to one instruction, and what the author did."""

    pair_id: str
    document_id: str
    instruction: str
    author: str
    candidate: str
    reference: str

    @classmethod
    def of(cls, candidate: Output, reference: Output) -> Self:
        """The answers of two models to one prompt."""
        sample = candidate.prompt.sample
        return cls(
            sample.sample_id, sample.document_id, sample.instruction, sample.answer, candidate.text, reference.text
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over both orders, from 1 to 3."""

    accuracy: float
    style: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge thinks of a pair; `agrees` is False where its verdict changed with the order."""

    pair_id: str
    document_id: str
    winner: Winner
    agrees: bool
    candidate: Scores
    reference: Scores


@dataclass(frozen=True)
class Judged:
    """The pairs that could be judged, and why others could not."""

    judgements: tuple[Judgement, ...] = ()
    dropped: Counter[str] = field(default_factory=Counter)


async def judge(pairs: Iterable[Pair], chat: Completer) -> Judged:
    """Compare candidate and reference pair by pair; what ends all questions is raised (`LlmError`, over budget)."""
    dropped: Counter[str] = Counter()
    found = await gathered(_judged(pair, chat, dropped) for pair in pairs)
    return Judged(tuple(each for each in found if each is not None), dropped)


def judge_measures(judgements: Sequence[Judgement], kind: Kind, doubts: str) -> tuple[Measured, Measured]:
    """Candidate's and reference's figures; `kind` is more than `report` only for a judge that agrees with people.

    `doubts` are what speaks for and against the judge; they stand in the label.
    """
    wins = Measure("judge_wins", f"judge: preferred, ties counting half ({doubts})", kind, "higher")
    accuracy = Measure("judge_accuracy", "judge: accuracy, 1 to 3", "report", "higher")
    style = Measure("judge_style", "judge: style, 1 to 3", "report", "higher")
    won = [(each.document_id, WON[each.winner]) for each in judgements]
    ours: Measured = {wins: by_document(won)}
    theirs: Measured = {wins: by_document((document_id, 1 - value) for document_id, value in won)}
    for measured, scored in (
        (ours, [(each.document_id, each.candidate) for each in judgements]),
        (theirs, [(each.document_id, each.reference) for each in judgements]),
    ):
        measured[accuracy] = by_document((document_id, scores.accuracy) for document_id, scores in scored)
        measured[style] = by_document((document_id, scores.style) for document_id, scores in scored)
    return ours, theirs


async def _judged(pair: Pair, chat: Completer, dropped: Counter[str]) -> Judgement | None:
    try:
        first = await _compared(pair, pair.candidate, pair.reference, chat)
        swapped = await _compared(pair, pair.reference, pair.candidate, chat)
    except UnansweredError:
        dropped["no reply"] += 1
        return None
    except UnusableReplyError as error:
        dropped[error.what] += 1
        return None
    winner, other = _winner(first.better, "A"), _winner(swapped.better, "B")
    return Judgement(
        pair_id=pair.pair_id,
        document_id=pair.document_id,
        winner=winner if winner == other else "tie",
        agrees=winner == other,
        candidate=Scores((first.accuracy_a + swapped.accuracy_b) / 2, (first.style_a + swapped.style_b) / 2),
        reference=Scores((first.accuracy_b + swapped.accuracy_a) / 2, (first.style_b + swapped.style_a) / 2),
    )


async def _compared(pair: Pair, a: str, b: str, chat: Completer) -> Comparison:
    reply = await chat.complete(compare(pair.instruction, pair.author, a, b), scope=pair.document_id)
    return read(reply.text, Comparison)


def _winner(better: Literal["A", "B", "tie"], candidate: Literal["A", "B"]) -> Winner:
    if better == "tie":
        return "tie"
    return "candidate" if better == candidate else "reference"
