"""How far a model's prose lies from the author's sealed prose in three habits: sentences, punctuation, words.

A single answer is too short for a profile of its own, so what counts is the distance of a document's answers to the
profile of all the author's sealed prose. Short texts are farther from any profile by chance alone: the figures are for
comparing models, and say little by themselves.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from llm_twin_assets.datasets.words import plain_words, word_count
from llm_twin_assets.evaluation.exam.generation import Output, is_prose
from llm_twin_assets.evaluation.measure import DocumentValue, Measure, Measured
from llm_twin_assets.evaluation.measures.authorship_features import prose
from llm_twin_assets.inference.words import sentences

SENTENCES = Measure("sentence_length", "distance in sentence length (Wasserstein)", "report", "lower", "words")
PUNCTUATION = Measure("punctuation", "distance in punctuation (Jensen-Shannon)", "report", "lower")
VOCABULARY = Measure("vocabulary", "distance in vocabulary (Jensen-Shannon)", "report", "lower")


@dataclass(frozen=True)
class Profile:
    """Words a sentence, marks of punctuation by how often they come (what is none of them as ""), and words."""

    sentences: tuple[int, ...]
    marks: Counter[str]
    words: Counter[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """The habits of prose; layout, links and code take no part."""
        plain = [prose(text) for text in texts]
        return cls(
            tuple(word_count(each.text) for text in plain for each in sentences(text)),
            Counter("" if each.isalnum() else each for text in plain for each in text if not each.isspace()),
            Counter(word for text in plain for word in plain_words(text)),
        )


def profile_measures(outputs: Sequence[Output], author: Profile) -> Measured:
    """The three distances of each document's answers; a document without a word in them is as far as can be."""
    texts: dict[str, list[str]] = {}
    for each in outputs:
        if is_prose(each.prompt.sample):
            texts.setdefault(each.document_id, []).append(each.text)
    profiles = {document_id: Profile.of(written) for document_id, written in texts.items()}
    distances = {SENTENCES: sentence_distance, PUNCTUATION: punctuation_distance, VOCABULARY: vocabulary_distance}
    return {
        measure: [DocumentValue(document_id, distance(own, author)) for document_id, own in profiles.items()]
        for measure, distance in distances.items()
    }


def sentence_distance(one: Profile, other: Profile) -> float:
    """By how many words a sentence has to be changed to make one's sentences the other's, in the mean."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(one.sentences or (0,), other.sentences or (0,)))


def punctuation_distance(one: Profile, other: Profile) -> float:
    """Jensen-Shannon distance of the marks, letters and digits being one of them: from 0 to 1."""
    return _jensen_shannon(one.marks, other.marks)


def vocabulary_distance(one: Profile, other: Profile) -> float:
    """Jensen-Shannon distance of the words: from 0 to 1."""
    return _jensen_shannon(one.words, other.words)


def _jensen_shannon(one: Counter[str], other: Counter[str]) -> float:
    """The square root of the divergence in bits, which is a metric (Endres and Schindelin 2003)."""
    from scipy.spatial.distance import jensenshannon

    if not one or not other:
        return float(bool(one) != bool(other))
    keys = sorted(one.keys() | other.keys())
    distance = jensenshannon(*(np.array([each[key] for key in keys], np.float64) for each in (one, other)), base=2)
    # Rounding may leave a divergence just below 0, which has no root.
    return float(np.nan_to_num(distance))
