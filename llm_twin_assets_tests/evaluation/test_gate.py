from datetime import datetime

import pytest

from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.gate import verdict
from llm_twin_assets.evaluation.report import report
from llm_twin_assets.evaluation.statistics import DocumentScore
from resources.settings import Evaluation


def scores(bits: list[float]) -> list[DocumentScore]:
    return [DocumentScore(f"d{number}", value, 100) for number, value in enumerate(bits)]


def judged(ours: list[float], theirs: list[float], now: datetime, settings: Evaluation | None = None) -> Verdict:
    return verdict(
        scores(ours),
        scores(theirs),
        settings or Evaluation(),
        author="maya",
        model_version="2",
        model_digest="m",
        reference_name="champion 1",
        dataset="d" * 64,
        now=now,
    )


def test_a_better_candidate_passes(now: datetime) -> None:
    found = judged([150, 160, 170, 165], [200, 210, 205, 220], now)
    assert found.passed
    assert found.reason.startswith("better than champion 1: 95% interval")


@pytest.mark.parametrize(
    ("ours", "why"),
    [
        ([200, 210, 205, 220], "an equal one"),
        ([250, 260, 255, 270], "a worse one"),
        ([100, 300, 150, 280], "a mixed one"),
    ],
)
def test_what_is_not_shown_to_be_better_is_refused(ours: list[float], why: str, now: datetime) -> None:
    assert not judged(ours, [200, 210, 205, 220], now).passed, why


def test_too_few_documents_are_refused_and_said(now: datetime) -> None:
    found = judged([100, 100], [200, 200], now)
    assert not found.passed
    assert found.reason == "2 sealed documents are too few; the gate asks for 3"


def test_a_demanded_margin_must_be_met(now: datetime) -> None:
    ours, theirs = [190, 191, 189, 190], [200, 201, 199, 200]
    assert judged(ours, theirs, now, Evaluation(min_improvement=0.05)).passed
    assert not judged(ours, theirs, now, Evaluation(min_improvement=0.15)).passed


def test_the_report_says_the_verdict_first_and_shows_every_document(now: datetime) -> None:
    ours, theirs = [150, 160, 170], [200, 210, 205]
    page = report(judged(ours, theirs, now), scores(ours), scores(theirs), {"d0": "A page", "d1": "Pipes | here"})
    assert page.startswith("# Passed: model version 2 of maya\n")
    assert "data:image/png;base64," in page
    assert "| A page | 100 | 2.000 | 1.500 | -0.500 |" in page
    assert "Pipes \\| here" in page
    assert "| d2 |" in page
