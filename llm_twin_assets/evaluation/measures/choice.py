"""Which answer is the author's? Of four, the one that a model finds likeliest for each byte.

Three distractors of the same length stand beside the author's answer to an instruction: two of the author's own to
other instructions, in the right voice on another subject, and one of a stranger's. A guess is right one time in four.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llm_twin_assets.domain.sample import Sample
from llm_twin_assets.evaluation.measure import Measure, Measured, by_document
from llm_twin_assets.evaluation.measures.choice_likelihood import Likelihood
from llm_twin_assets.inference.prompts import messages

CHOICE = Measure("choice", "picks the author's answer out of four", "non_inferior", "higher")

_OWN, _OTHERS = 2, 1
# Longer answers tell no more, and cost more.
_LONGEST = 240
# With fewer characters in common the choice would be between beginnings of sentences.
_SHORTEST = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """A sealed sample, and four answers of one length, the author's own first."""

    sample: Sample
    answers: tuple[str, ...]


def choices(samples: Sequence[Sample], own: Iterable[Sample], others: Iterable[str]) -> list[Choice]:
    """A choice for each sample that enough other texts are long enough for.

    `own` are sealed samples whose answers may distract: those of other documents do. `others` are strangers' texts.
    """
    pool, strangers = sorted(own, key=lambda each: each.sample_id), [_plain(each) for each in others]
    found = []
    for sample in samples:
        beside = [_plain(each.answer) for each in pool if each.document_id != sample.document_id]
        answers = [_plain(sample.answer), *_nearest(sample, beside, _OWN), *_nearest(sample, strangers, _OTHERS)]
        length = min(_LONGEST, *map(len, answers))
        if len(answers) == 1 + _OWN + _OTHERS and length >= _SHORTEST:
            found.append(Choice(sample, tuple(_cut(each, length) for each in answers)))
    return found


def choice_measures(chosen: Sequence[Choice], likelihood: Likelihood, author_name: str) -> Measured:
    """The share of choices in which the author's answer needs the fewest bits a byte."""
    asked = [
        (messages(each.sample.instruction, author_name=author_name), answer)
        for each in chosen
        for answer in each.answers
    ]
    costs = [nats / len(answer.encode()) for nats, (_, answer) in zip(likelihood.nats(asked), asked, strict=True)]
    size = 1 + _OWN + _OTHERS
    by_choice = [costs[start : start + size] for start in range(0, len(costs), size)]
    return {
        CHOICE: by_document(
            (each.sample.document_id, float(own < min(distractors)))
            for each, (own, *distractors) in zip(chosen, by_choice, strict=True)
        )
    }


def _nearest(sample: Sample, texts: Sequence[str], count: int) -> list[str]:
    """The texts whose lengths are nearest to the answer's, longer ones first: they can be cut."""
    length = min(len(sample.answer), _LONGEST)
    return sorted(texts, key=lambda text: (len(text) < length, abs(len(text) - length), text))[:count]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, length: int) -> str:
    """To a length, at a blank where there is one near."""
    if len(text) <= length:
        return text
    blank = text.rfind(" ", length * 9 // 10, length + 1)
    return text[: blank if blank > 0 else length]
