"""Who wrote this? A verifier of one author against others, trained on what is not sealed, and calibrated.

Logistic regression on character n-grams (authorship_features.py). It is cross-fitted by document: whatever is scored,
a text of the author's, a stranger's or a model's answer about a sealed document, is scored by a verifier that has seen
nothing of that document. So the bare base's answers can stand among the others and be compared without a bias against
them. Platt's scaling (Platt 1999) of scores got that way makes them probabilities, author and others equally likely.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_twin_assets.evaluation.exam.generation import Output, is_prose
from llm_twin_assets.evaluation.measure import Measure, Measured, by_document
from llm_twin_assets.evaluation.measures.authorship_features import Rarity, features, windows, without_subject
from llm_twin_assets.evaluation.measures.authorship_logistic import Floats, Logistic, auc, calibration_error
from resources.errors import TwinError

Folds = NDArray[np.int64]

AUTHOR = "author"
_FOLDS = 5
# Rows have a length of 1. A tenth of it gains .002 of AUC on the sample author, and takes gibberish for the author's.
_PENALTY = 1e-2
# In smaller windows authors are hard to tell apart (AUC on the sample author: .975 at 120 characters, .997 at 250).
_SMALLEST, _LARGEST = 80, 250
# Too short to tell: no answer of so few characters is like anybody's.
_LEAST = 40


class AuthorshipError(TwinError):
    """There is too little text to tell an author by."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text and who wrote it: `author`, or the sort of other. It is never scored by who has seen its `document`."""

    document: str
    text: str
    writer: str = AUTHOR


@dataclass(frozen=True)
class Verifier:
    """Verifiers by fold, and how far to believe them: `auc` and `calibration_error` (ECE) on documents not seen."""

    size: int
    folds: tuple[Logistic, ...]
    rarity: Rarity
    scale: Logistic
    auc: float
    calibration_error: float
    auc_by_writer: dict[str, float]

    def probability(self, document: str, text: str) -> float:
        """How likely the author wrote a text about a document: the mean over its windows; 0 for next to no text."""
        pieces = [each for each in windows(text, self.size) if len(each) >= _LEAST]
        if not pieces:
            return 0.0
        scores = self.folds[_fold(document)].scores(self.rarity.weighted(features(pieces)))
        return float(self.scale.probabilities(scores[:, None]).mean())


def window_size(outputs: Iterable[Output]) -> int:
    """The length of windows at which what models wrote is compared with like: the median of theirs, within bounds."""
    lengths = [len(without_subject(each.text)) for each in outputs if is_prose(each.prompt.sample)]
    return min(_LARGEST, max(_SMALLEST, int(np.median(lengths)))) if lengths else _LARGEST


def train_verifier(texts: Iterable[Text], size: int) -> Verifier:
    """Learn to tell the author's windows of `size` characters from the others'; every writer of those weighs the same.

    Raises `AuthorshipError` where author or others have too few documents to be learnt from and tested on.
    """
    pieces = [(each, piece) for each in texts for piece in windows(each.text, size) if len(piece) >= _LEAST]
    folds = np.array([_fold(each.document) for each, _ in pieces], np.int64)
    labels = np.array([each.writer == AUTHOR for each, _ in pieces], np.float64)
    _check(folds, labels)
    writers = [each.writer for each, _ in pieces]
    weights = _weights(writers)
    counts = features([piece for _, piece in pieces])
    rarity = Rarity.of(counts)
    rows = rarity.weighted(counts)
    models = tuple(
        Logistic.fit(rows[folds != fold], labels[folds != fold], weights[folds != fold], _PENALTY)
        for fold in range(_FOLDS)
    )
    scores = np.empty(len(pieces))
    for fold, model in enumerate(models):
        scores[folds == fold] = model.scores(rows[folds == fold])
    return Verifier(
        size=size,
        folds=models,
        rarity=rarity,
        scale=_platt(scores, labels, weights),
        auc=auc(scores, labels),
        calibration_error=calibration_error(_cross_scaled(scores, labels, weights, folds), labels, weights),
        auc_by_writer=_auc_by_writer(scores, writers),
    )


def authorship(verifier: Verifier, outputs: Sequence[Output], least_auc: float) -> Measured:
    """How likely the author wrote the prose of a model; only reported where the verifier is not to be trusted."""
    written = [each for each in outputs if is_prose(each.prompt.sample)]
    values = by_document((each.document_id, verifier.probability(each.document_id, each.text)) for each in written)
    return {authorship_measure(verifier, least_auc): values}


def authorship_measure(verifier: Verifier, least_auc: float) -> Measure:
    """The measure, whose label says how good the verifier is."""
    trusted = verifier.auc >= least_auc
    said = ", ".join(f"{area:.2f} against {writer}" for writer, area in verifier.auc_by_writer.items())
    said = f"verifier: AUC {verifier.auc:.2f} ({said}), calibration error {verifier.calibration_error:.2f}"
    if not trusted:
        said += f"; below {least_auc:.2f}: only reported"
    return Measure(
        "authorship",
        f"probability that the author wrote it ({said})",
        "superiority" if trusted else "report",
        "higher",
    )


def _fold(document: str) -> int:
    return hashlib.sha256(document.encode()).digest()[0] % _FOLDS


def _check(folds: Folds, labels: Floats) -> None:
    for label, who in ((1, "the author"), (0, "others")):
        if len(np.unique(folds[labels == label])) < 2:
            raise AuthorshipError(
                f"{who} wrote too few documents to learn authorship from and to test it on",
                mend="Collect more articles and posts.",
            )


def _weights(writers: Sequence[str]) -> Floats:
    """The author's windows weigh as much as all others', and among those each sort of writer the same."""
    counts = Counter(writers)
    shares = {writer: (1 if writer == AUTHOR else 1 / (len(counts) - 1)) / count for writer, count in counts.items()}
    return np.array([shares[each] for each in writers], np.float64)


def _platt(scores: Floats, labels: Floats, weights: Floats) -> Logistic:
    return Logistic.fit(scores[:, None], labels, weights, penalty=1e-6)


def _cross_scaled(scores: Floats, labels: Floats, weights: Floats, folds: Folds) -> Floats:
    """Each fold's probabilities by a scaling that was fitted on the others."""
    scaled = np.empty(len(scores))
    for fold in range(_FOLDS):
        own = folds == fold
        scaled[own] = _platt(scores[~own], labels[~own], weights[~own]).probabilities(scores[own][:, None])
    return scaled


def _auc_by_writer(scores: Floats, writers: Sequence[str]) -> dict[str, float]:
    """The author against each sort of other."""
    own = np.array([each == AUTHOR for each in writers])
    return {
        writer: auc(
            np.concatenate([scores[own], scores[(is_other := np.array([each == writer for each in writers]))]]),
            np.concatenate([np.ones(own.sum()), np.zeros(is_other.sum())]),
        )
        for writer in sorted(set(writers) - {AUTHOR})
    }
