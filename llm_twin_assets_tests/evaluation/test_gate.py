import numpy as np
import pytest

from llm_twin_assets.domain.release import Comparison, Verdict
from llm_twin_assets.evaluation.comparison import BITS_PER_BYTE, Scores, compare
from llm_twin_assets.evaluation.gate import Decision, decide, warnings
from llm_twin_assets_tests.evaluation.compared import ANSWERS, STYLE, VERBATIM, scores
from resources.evaluation_settings import Evaluation, Limits, Margins, Worthwhile

SETTINGS = Evaluation(bootstrap_draws=1000, limits=Limits(longest_verbatim=20))
DOCUMENTS = 12
BASE = 2.2 + 0.3 * np.random.default_rng(1).normal(size=DOCUMENTS)
NOISE = 0.02 * np.random.default_rng(2).normal(size=DOCUMENTS)


def compared(
    bits: float = 0, style: float = 0, answers: float = 0, verbatim: float = 5, settings: Evaluation = SETTINGS
) -> tuple[Comparison, ...]:
    """A candidate that gains so much in each, give or take."""
    equal = [0.5] * DOCUMENTS
    return compare(
        scores(
            {
                BITS_PER_BYTE: list(BASE - bits + NOISE),
                STYLE: list(0.5 + style + NOISE[::-1]),
                ANSWERS: list(0.5 + answers + NOISE),
                VERBATIM: [verbatim] * DOCUMENTS,
            }
        ),
        scores({BITS_PER_BYTE: list(BASE), STYLE: equal, ANSWERS: equal, VERBATIM: [0.0] * DOCUMENTS}),
        settings,
    )


def decided(settings: Evaluation = SETTINGS, objection: str = "", **gains: float) -> Decision:
    return decide(compared(settings=settings, **gains), "champion 1", DOCUMENTS, settings, objection)


@pytest.mark.parametrize(
    "gains", [{"bits": 0.2}, {"style": 0.2}, {"bits": 0.2, "style": 0.2}, {"bits": 0.2, "style": -0.2}]
)
def test_better_prose_or_better_style_passes(gains: dict[str, float]) -> None:
    found = decided(**gains)
    assert found.passed
    assert found.reason.startswith("better than champion 1: ")


@pytest.mark.parametrize(
    ("gains", "why"),
    [
        ({}, "not shown to be better than champion 1: bits per byte"),
        ({"bits": -0.2, "style": -0.2}, "not shown to be better than champion 1: bits per byte"),
        ({"bits": 0.2, "answers": -0.2}, "may be worse: answer F1 -0.1"),
        ({"bits": 0.2, "verbatim": 21}, "longest verbatim span: 21 where 20 is the limit"),
    ],
)
def test_what_is_not_better_or_worse_in_anything_else_is_refused(gains: dict[str, float], why: str) -> None:
    found = decided(**gains)
    assert not found.passed
    assert why in found.reason


def test_every_objection_is_named() -> None:
    reason = decided(answers=-0.2, verbatim=30).reason
    assert [part.partition(":")[0] for part in reason.split("; ")] == [
        "not shown to be better than champion 1",
        "may be worse",
        "longest verbatim span",
    ]


def test_no_figure_counts_on_a_test_set_that_was_read() -> None:
    found = decided(bits=0.5, objection="the test set is not sealed")
    assert (found.passed, found.reason) == (False, "the test set is not sealed")


def test_too_few_documents_are_refused_and_said() -> None:
    found = decide(compared(bits=0.5), "champion 1", 2, SETTINGS)
    assert (found.passed, found.reason) == (False, "2 sealed documents are too few; the gate asks for 3")


def test_a_demanded_margin_must_be_met() -> None:
    assert decided(SETTINGS.model_copy(update={"min_improvement": 0.1}), bits=0.2).passed
    assert not decided(SETTINGS.model_copy(update={"min_improvement": 0.3}), bits=0.2).passed
    assert not decided(SETTINGS.model_copy(update={"min_style_improvement": 0.3}), style=0.2).passed


def test_nothing_that_could_show_an_improvement_is_no_improvement() -> None:
    found = decide(compare(scores({ANSWERS: [0.9] * 4}), scores({ANSWERS: [0.1] * 4}), SETTINGS), "base", 4, SETTINGS)
    assert not found.passed
    assert "nothing was measured that could show it" in found.reason


def test_a_small_test_set_says_what_it_cannot_show_and_how_many_documents_would() -> None:
    asked = Evaluation(
        bootstrap_draws=500, worthwhile=Worthwhile(authorship=0.001, bits_per_byte=1), margins=Margins(answer_f1=0.5)
    )
    said = list(warnings(compared(settings=asked), asked))
    assert len(said) == 1
    assert said[0].startswith("writes like the author: with 12 documents a gain of 0.001 is not shown in 80% of cases")
    needed = int(said[0].partition("; about ")[2].split()[0])
    detectable = next(each.detectable for each in compared(settings=asked) if each.measure == STYLE.name)
    assert detectable is not None
    assert needed == round(12 * (detectable / 0.001) ** 2)


def test_equal_candidates_pass_as_rarely_as_the_confidence_says() -> None:
    rng = np.random.default_rng(5)
    documents, draws = 10, 1000
    ways, others = (BITS_PER_BYTE, STYLE), (ANSWERS,)
    rules = Evaluation(bootstrap_draws=200, margins=Margins(answer_f1=1))
    level = scores({measure: [0.0] * documents for measure in (*ways, *others)})
    passed = 0
    for _ in range(draws):
        candidate = scores({measure: list(rng.normal(0, 0.1, documents)) for measure in (*ways, *others)})
        passed += decide(compare(candidate, level, rules), "champion 1", documents, rules).passed
    # Two tries at being better, together 2.5% (one side of 95%): 25 of 1,000 and three standard deviations of chance.
    assert passed <= 40


def test_a_verdict_from_before_there_were_measures_can_still_be_read() -> None:
    stored = """{"author": "maya", "model_version": "3", "model_digest": "m", "reference": "base tiny-llama",
        "dataset": "d", "documents": 9, "candidate_bits_per_byte": 1.9, "reference_bits_per_byte": 2.2,
        "difference": {"mean": -0.3, "low": -0.4, "high": -0.2}, "passed": true, "reason": "better",
        "config_digest": "c", "evaluated_at": "2026-11-20T10:00:00Z"}"""
    found = Verdict.model_validate_json(stored)
    assert (found.passed, found.comparisons, found.with_base, found.warnings) == (True, (), (), ())


@pytest.mark.parametrize("seed", range(20))
def test_a_truly_better_candidate_passes_and_a_truly_worse_one_does_not(seed: int) -> None:
    # Figures as models give them: documents differ more than models do, shares are bounded, each answer is a draw.
    # `make bench` does the same with models that are trained for it.
    rng = np.random.default_rng(seed)
    documents = 16
    difficulty = rng.normal(2.2, 0.3, documents)
    skill = rng.beta(4, 4, documents)

    def sat(progress: float) -> Scores:
        return scores(
            {
                BITS_PER_BYTE: list(difficulty * (1 - 0.08 * progress) + rng.normal(0, 0.04, documents)),
                STYLE: list(np.clip(skill + 0.15 * progress + rng.normal(0, 0.12, documents), 0, 1)),
                ANSWERS: list(np.clip(0.3 + 0.02 * progress + rng.normal(0, 0.03, documents), 0, 1)),
                VERBATIM: list(rng.integers(0, 12, documents)),
            }
        )

    rules = SETTINGS.model_copy(update={"margins": Margins(answer_f1=0.06)})
    champion = sat(0)
    better, worse = (compare(sat(progress), champion, rules) for progress in (1.0, -1.0))
    assert decide(better, "champion 1", documents, rules).passed
    refused = decide(worse, "champion 1", documents, rules)
    assert not refused.passed
    assert refused.reason.startswith("not shown to be better than champion 1")
