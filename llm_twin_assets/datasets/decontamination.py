"""No split learns what a more sealed one asks: n-grams of samples against the whole documents of those splits.

Thirteen words in a row are no coincidence (Brown et al. 2020, appendix C): one shared 13-gram and the sample goes.
Eight words may be; a sample goes if more than a share of its 8-grams is shared (PaLM, Chowdhery et al. 2022, §8, took
70%; ours is stricter). The text of a sample is its instruction and its answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llm_twin_assets.datasets.words import Grams, ngrams, words_of
from llm_twin_assets.domain.identity import Json
from llm_twin_assets.domain.sample import Sample, Split

LONG, SHORT = 13, 8


@dataclass(frozen=True, slots=True)
class Sealed:
    """Every n-gram of the documents that a split must not know."""

    long: Grams
    short: Grams

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Sealed":
        """The n-grams of texts, each once, in order."""
        words = [words_of(text) for text in texts]
        long, short = ([ngrams(each, n) for each in words] for n in (LONG, SHORT))
        return cls(*(np.unique(np.concatenate([*part, np.empty(0, np.uint64)])) for part in (long, short)))

    def overlap(self, text: str) -> "Overlap":
        """How much of a text stands in the documents."""
        words = words_of(text)
        long, short = ngrams(words, LONG), ngrams(words, SHORT)
        return Overlap(_shared(long, self.long), _shared(short, self.short), len(short))


@dataclass(frozen=True, slots=True)
class Overlap:
    """N-grams of a text that are sealed, and how many of 8 words it has."""

    long: int
    short: int
    shorts: int

    def reason(self, max_short: float) -> str | None:
        """Why the text must not be learnt, if it must not."""
        if self.long:
            return f"shares a {LONG}-gram with a more sealed split"
        if self.short > max_short * self.shorts:
            return f"shares {SHORT}-grams with a more sealed split"
        return None


@dataclass(frozen=True, slots=True)
class Decontaminated:
    """The samples that may be learnt, and what was found, by pair of splits (`train → validation and test`)."""

    samples: tuple[Sample, ...]
    dropped: Counter[str]
    report: dict[str, Json]


def decontaminate(samples: Sequence[Sample], texts: Mapping[Split, Sequence[str]], max_short: float) -> Decontaminated:
    """Train against validation and test documents, validation against test documents."""
    dropped: Counter[str] = Counter()
    report: dict[str, Json] = {}
    gone: set[str] = set()
    for split in (Split.TRAIN, Split.VALIDATION):
        stricter = [each for each in (Split.VALIDATION, Split.TEST) if each.rank < split.rank]
        sealed = Sealed.of(text for each in stricter for text in texts.get(each, ()))
        own = [sample for sample in samples if sample.split is split]
        reasons: Counter[str] = Counter()
        kept_short = 0
        for sample in own:
            overlap = sealed.overlap(text_of(sample.instruction, sample.answer))
            if reason := overlap.reason(max_short):
                reasons[reason] += 1
                gone.add(sample.sample_id)
            else:
                kept_short += bool(overlap.short)
        dropped += reasons
        report[f"{split.value} → {' and '.join(each.value for each in stricter)}"] = {
            "samples": len(own),
            "dropped_13_gram": reasons[f"shares a {LONG}-gram with a more sealed split"],
            "dropped_8_grams": reasons[f"shares {SHORT}-grams with a more sealed split"],
            "kept_with_some_8_gram": kept_short,
        }
    return Decontaminated(tuple(each for each in samples if each.sample_id not in gone), dropped, report)


def text_of(instruction: str, answer: str) -> str:
    """What a model reads of a sample."""
    return f"{instruction}\n\n{answer}"


def _shared(grams: Grams, among: Grams) -> int:
    if not len(grams) or not len(among):
        return 0
    places = np.minimum(np.searchsorted(among, grams), len(among) - 1)
    return int((among[places] == grams).sum())
