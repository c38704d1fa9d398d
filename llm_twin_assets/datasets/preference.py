"""Preference pairs: what the author wrote beside what a model writes to the same instruction, and people's feedback.

The two differ little in length: DPO learns length before anything else where it can (Park et al., "Disentangling Length
from Quality in Direct Preference Optimization", Findings of ACL 2024).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llm_twin_assets.datasets.decontamination import Sealed, text_of
from llm_twin_assets.datasets.filters import normalized
from llm_twin_assets.datasets.preference_length import are_matched, matched
from llm_twin_assets.datasets.words import ngrams, words_of
from llm_twin_assets.domain.feedback import Feedback
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.inference.citations import unmarked
from resources.llm_cache import Reply
from resources.llm_settings import Preference

Source = Literal["sample", "correction"]

# Three words in a row: enough to tell the same sentence from the same subject.
_GRAM = 3
# Text of which more than this share of its 3-grams is repeated has got into a loop; nobody has to learn to avoid that.
_LOOP, _LOOP_FROM = 0.5, 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A sample of the dataset as far as a pair needs it."""

    sample_id: str
    split: Split
    instruction: str
    answer: str
    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The better and the worse answer. One of a sample has the place of `chosen` in its document, a correction none."""

    pair_id: str
    split: Split
    source: Source
    prompt: str
    chosen: str
    rejected: str
    rejected_by: str
    document_id: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Thumb:
    """An answer that somebody liked (`label`) or did not."""

    answer_id: str
    prompt: str
    completion: str
    label: bool


@dataclass(frozen=True)
class Preferences:
    """Pairs and thumbs in a stable order, and what was left out, by reason."""

    pairs: tuple[Pair, ...] = ()
    thumbs: tuple[Thumb, ...] = ()
    dropped: Counter[str] = field(default_factory=Counter)


def pair_of(asked: Asked, rejected: Reply, rejected_by: str, settings: Preference) -> Pair | str:
    """The pair of a sample and a model's answer to it, or why there is none."""
    text = matched(asked.answer, rejected.text, settings.length_ratio, finished=rejected.finished)
    if text is None:
        return "the rejected answer is empty" if not rejected.text.strip() else "the lengths differ too much"
    if _copies(text, asked.answer, settings.max_overlap):
        return "the rejected answer is nearly the author's"
    if _is_loop(text):
        return "the rejected answer repeats itself"
    return Pair(
        pair_id=digest([asked.sample_id, text])[:32],
        split=asked.split,
        source="sample",
        prompt=asked.instruction,
        chosen=asked.answer,
        rejected=text,
        rejected_by=rejected_by,
        document_id=asked.document_id,
        start=asked.start,
        end=asked.end,
    )


def of_feedback(feedback: Sequence[Feedback], settings: Preference, is_leak: Callable[[str], bool]) -> Preferences:
    """Corrections as pairs and bare thumbs as such, of those whose word counts; all of it to train on."""
    found = Preferences()
    pairs: list[Pair] = []
    thumbs: list[Thumb] = []
    for each in feedback:
        if settings.feedback == "nobody" or (settings.feedback == "author" and not each.author_key):
            found.dropped["feedback of somebody whose word does not count"] += 1
            continue
        made = _of_one(each, settings)
        if isinstance(made, str):
            found.dropped[made] += 1
        elif is_leak(text_of(each.question, f"{each.answer}\n\n{each.corrected_text or ''}")):
            found.dropped["feedback on a document that is not to be trained on"] += 1
        elif isinstance(made, Pair):
            pairs.append(made)
        else:
            thumbs.append(made)
    return Preferences(_once(pairs, found.dropped), tuple(thumbs), found.dropped)


def collected(made: Iterable[Pair | str]) -> Preferences:
    """The pairs among what came of each sample; the rest are reasons."""
    found = Preferences()
    pairs: list[Pair] = []
    for each in made:
        if isinstance(each, Pair):
            pairs.append(each)
        else:
            found.dropped[each] += 1
    return Preferences(_once(pairs, found.dropped), (), found.dropped)


def together(*parts: Preferences) -> Preferences:
    """All in one."""
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    pairs = tuple(pair for part in parts for pair in part.pairs)
    return Preferences(pairs, tuple(thumb for part in parts for thumb in part.thumbs), dropped)


def chosen_samples(samples: Sequence[Asked], most: int) -> list[Asked]:
    """So many samples of a split, by a hash of their identity: a sample that comes displaces few others."""
    return sorted(samples, key=lambda each: digest([each.sample_id]))[:most]


def leaks(texts: Iterable[str], max_short: float) -> Callable[[str], bool]:
    """Whether a text repeats documents that training must not see."""
    sealed = Sealed.of(texts)
    return lambda text: sealed.overlap(text).reason(max_short) is not None


def _of_one(feedback: Feedback, settings: Preference) -> Pair | Thumb | str:
    if not feedback.question.strip():
        return "feedback on an answer whose question was not kept"
    corrected = (feedback.corrected_text or "").strip()
    if not corrected:
        if feedback.thumb is None or not feedback.answer.strip():
            return "feedback without a thumb or a correction"
        return Thumb(feedback.answer_id, feedback.question, unmarked(feedback.answer), feedback.thumb == "up")
    # The marks of citations are the service's; a model must learn neither to write nor to avoid them.
    answer = unmarked(feedback.answer)
    if normalized(corrected) == normalized(answer):
        return "a correction that changes no word"
    rejected = matched(corrected, answer, settings.length_ratio)
    if rejected is None:
        return "the lengths differ too much"
    return Pair(
        pair_id=digest(["correction", feedback.answer_id, corrected, rejected])[:32],
        split=Split.TRAIN,
        source="correction",
        prompt=feedback.question,
        chosen=corrected,
        rejected=rejected,
        rejected_by="the released model",
    )


def _once(pairs: Iterable[Pair], dropped: Counter[str]) -> tuple[Pair, ...]:
    """No two pairs that say the same."""
    unique: dict[tuple[str, str, str], Pair] = {}
    for pair in pairs:
        key = (normalized(pair.prompt), normalized(pair.chosen), normalized(pair.rejected))
        if unique.setdefault(key, pair) is not pair:
            dropped["duplicate pair"] += 1
    return tuple(unique.values())


def _copies(text: str, original: str, most: float) -> bool:
    own, given = (set(ngrams(words_of(each), _GRAM).tolist()) for each in (text, original))
    if not own or not given:
        return normalized(text) == normalized(original)
    return len(own & given) > most * min(len(own), len(given))


def _is_loop(text: str) -> bool:
    grams = ngrams(words_of(text), _GRAM).tolist()
    return len(grams) >= _LOOP_FROM and len(set(grams)) < _LOOP * len(grams)


def unmatched(pairs: Iterable[Pair], ratio: float) -> list[str]:
    """Ids of the pairs whose two answers differ more in length than they may."""
    return [pair.pair_id for pair in pairs if not are_matched(pair.chosen, pair.rejected, ratio)]
