"""Verdicts and pages as an evaluation leaves them, of made-up figures."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from llm_twin_assets.domain.release import Comparison, Interval, Verdict
from llm_twin_assets.evaluation.comparison import BITS_PER_BYTE, Scores, compare
from llm_twin_assets.evaluation.measure import DocumentValue, Measure
from llm_twin_assets.evaluation.report.changes import Row
from llm_twin_assets.evaluation.report.page import Page
from llm_twin_assets.evaluation.report.plots import Point
from llm_twin_assets.evaluation.report.samples import SideBySide
from resources.evaluation_settings import Evaluation, Limits

STYLE = Measure("authorship", "writes like the author", "superiority", "higher")
ANSWERS = Measure("answer_f1", "answer F1", "non_inferior", "higher")
VERBATIM = Measure("longest_verbatim", "longest verbatim span", "hard_limit", "lower", "words")
LENGTH = Measure("length_ratio", "length of answers", "report", "higher")


def values(numbers: Sequence[float]) -> list[DocumentValue]:
    return [DocumentValue(f"d{number}", value) for number, value in enumerate(numbers)]


def scores(measured: dict[Measure, Sequence[float]]) -> Scores:
    documents = max(len(each) for each in measured.values())
    sizes = {f"d{number}": 100.0 for number in range(documents)}
    return Scores({measure: values(numbers) for measure, numbers in measured.items()}, sizes)


def typical(gain: float, documents: int = 12, seed: int = 0) -> tuple[Comparison, ...]:
    """A candidate that is better by so much in everything, give or take."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(2.2, 0.3, documents)
    noise = rng.normal(0, 0.02, (4, documents))
    limits = Evaluation(limits=Limits(longest_verbatim=20))
    ours = scores(
        {
            BITS_PER_BYTE: list(difficulty - gain + noise[0]),
            STYLE: list(0.5 + gain + noise[1]),
            ANSWERS: list(0.4 + gain + noise[2]),
            LENGTH: list(1 + noise[3]),
            VERBATIM: [7.0] * documents,
        }
    )
    theirs = scores(
        {
            BITS_PER_BYTE: list(difficulty),
            STYLE: [0.5] * documents,
            ANSWERS: [0.4] * documents,
            LENGTH: [1.0] * documents,
            VERBATIM: [6.0] * documents,
        }
    )
    return compare(ours, theirs, limits)


def verdict(
    now: datetime, comparisons: tuple[Comparison, ...] = (), *, reason: str = "better than champion 1"
) -> Verdict:
    return Verdict(
        author="maya",
        model_version="2",
        model_digest="m" * 64,
        reference="champion 1",
        dataset="d" * 64,
        documents=12,
        candidate_bits_per_byte=1.9,
        reference_bits_per_byte=2.2,
        difference=Interval(mean=-0.3, low=-0.4, high=-0.2),
        passed=True,
        reason=reason,
        config_digest="c" * 64,
        evaluated_at=now,
        comparisons=comparisons,
        with_base=comparisons,
        warnings=("answer F1: with 12 documents an equal candidate is not shown to lose less than 0.05",),
    )


def page(found: Verdict, text: str = "The loom in the attic has forty heddles.") -> Page:
    samples = [
        SideBySide(
            why, f"Write about {text}", text, f"candidate: {text}", f"reference: {text}", 0.1, "d1", grounded=False
        )
        for why in ("best", "worst", "random")
    ]
    return Page(
        verdict=found,
        confidence=0.95,
        documents=tuple(Point(f"{text} {number}", 2.2 + number / 10, 1.9 + number / 9) for number in range(12)),
        samples=tuple(samples),
        data=(Row("train: samples", "90", "140"),),
        parameters=(Row("learning_rate", "0.001", text),),
        cost=(Row("training, seconds", "61", "85"),),
    )
