"""Which answers a person is shown side by side: where the candidate gained most, where it lost most, and any."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from llm_twin_assets.evaluation.exam.generation import Output

Chosen = Literal["best", "worst", "random"]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One instruction, the author's own text, and what both models wrote; `gain` is the candidate's by one measure.

    `grounded` says whether they had passages to answer from.
    """

    chosen: Chosen
    instruction: str
    author: str
    candidate: str
    reference: str
    gain: float
    document_id: str
    grounded: bool

    @property
    def how(self) -> str:
        """What the models had to answer from."""
        return "with passages" if self.grounded else "unaided"


def side_by_side(
    candidate: Sequence[Output],
    reference: Sequence[Output],
    score: Callable[[Output], float],
    seed: int,
    most: int = 20,
) -> list[SideBySide]:
    """So many at most, none twice: seven of twenty the best, seven the worst, the rest at random.

    Both models answered the same prompts, in the same order.
    """
    gained = [(score(ours) - score(other), ours, other) for ours, other in zip(candidate, reference, strict=True)]
    ranked = sorted(gained, key=lambda each: (-each[0], each[1].prompt.key))
    ends = min(most * 7 // 20, len(ranked) // 3)
    middle = ranked[ends : len(ranked) - ends]
    any_of_them = random.Random(seed).sample(middle, min(most - 2 * ends, len(middle)))  # noqa: S311 - no secret
    chosen: list[tuple[Chosen, tuple[float, Output, Output]]] = [
        *(("best", each) for each in ranked[:ends]),
        *(("worst", each) for each in reversed(ranked[len(ranked) - ends :])),
        *(("random", each) for each in any_of_them),
    ]
    return [
        SideBySide(
            chosen=why,
            instruction=ours.prompt.sample.instruction,
            author=ours.prompt.sample.answer,
            candidate=ours.text,
            reference=other.text,
            gain=gain,
            document_id=ours.document_id,
            grounded=ours.prompt.messages[-1]["content"] != ours.prompt.sample.instruction,
        )
        for why, (gain, ours, other) in chosen
    ]
