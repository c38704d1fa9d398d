import numpy as np
import pytest

from llm_twin_assets.domain.release import Comparison
from llm_twin_assets.evaluation.comparison import BITS_PER_BYTE, compare
from llm_twin_assets.evaluation.measure import Measure
from llm_twin_assets_tests.evaluation.compared import ANSWERS, LENGTH, STYLE, VERBATIM, scores
from resources.evaluation_settings import Evaluation, Limits, Margins

SETTINGS = Evaluation(bootstrap_draws=1000, limits=Limits(longest_verbatim=20))


def one(measure: Measure, ours: list[float], theirs: list[float], settings: Evaluation = SETTINGS) -> Comparison:
    return compare(scores({measure: ours}), scores({measure: theirs}), settings)[0]


def test_less_is_better_where_the_measure_says_so() -> None:
    fewer, more = [1.0, 1.1, 0.9, 1.0], [1.5, 1.7, 1.4, 1.6]
    assert one(BITS_PER_BYTE, fewer, more).holds is True
    assert one(BITS_PER_BYTE, more, fewer).holds is False
    assert one(STYLE, more, fewer).holds is True
    assert one(STYLE, fewer, more).holds is False


def test_bits_per_byte_weigh_every_byte_the_same() -> None:
    ours, theirs = scores({BITS_PER_BYTE: [1.0, 2.0]}), scores({BITS_PER_BYTE: [2.0, 2.0]})
    ours, theirs = (type(each)(each.measured, {"d0": 300.0, "d1": 100.0}) for each in (ours, theirs))
    found = compare(ours, theirs, SETTINGS)[0]
    assert (found.candidate, found.reference) == (1.25, 2.0)


def test_of_two_ways_to_be_better_each_gets_half_of_the_error() -> None:
    ours, theirs = [0.61, 0.55, 0.52, 0.66, 0.49, 0.58, 0.6], [0.5, 0.52, 0.5, 0.51, 0.5, 0.5, 0.5]
    alone = one(STYLE, ours, theirs)
    beside = compare(
        scores({STYLE: ours, BITS_PER_BYTE: theirs}), scores({STYLE: theirs, BITS_PER_BYTE: theirs}), SETTINGS
    )
    assert alone.bound is not None
    assert beside[0].bound is not None
    assert beside[0].bound < alone.bound
    assert beside[0].difference == alone.difference  # shown is the same interval, at the configured confidence


def test_a_loss_within_the_margin_is_no_loss_and_one_beyond_it_is() -> None:
    theirs = [0.5, 0.6, 0.4, 0.5, 0.55]
    assert one(ANSWERS, [each - 0.02 for each in theirs], theirs).holds is True
    assert one(ANSWERS, [each - 0.07 for each in theirs], theirs).holds is False
    own = SETTINGS.model_copy(update={"margins": Margins(answer_f1=0.1)})
    assert one(ANSWERS, [each - 0.07 for each in theirs], theirs, own).holds is True


def test_one_bad_document_breaks_a_hard_limit() -> None:
    assert one(VERBATIM, [3, 4, 20], [0, 0, 0]).holds is True
    broken = one(VERBATIM, [3, 4, 21], [0, 0, 0])
    assert broken.holds is False
    assert (broken.bound, broken.threshold) == (21, 20)
    nothing = compare(
        scores({VERBATIM: [1.0]}), scores({VERBATIM: [1.0]}), Evaluation(limits=Limits(longest_verbatim=None))
    )[0]
    assert nothing.holds is None


def test_what_is_only_reported_decides_nothing() -> None:
    found = one(LENGTH, [1, 2, 3], [3, 2, 1])
    assert (found.holds, found.bound) == (None, None)
    assert found.difference is not None


@pytest.mark.parametrize("documents", [0, 1])
def test_too_few_documents_show_nothing(documents: int) -> None:
    theirs = scores({ANSWERS: [0.5, 0.5]})
    theirs.measured[ANSWERS] = theirs.measured[ANSWERS][:documents]
    found = compare(scores({ANSWERS: [0.9, 0.9]}), theirs, SETTINGS)[0]
    assert (found.documents, found.holds, found.difference) == (documents, False, None)


def test_the_detectable_gain_is_what_four_of_five_test_sets_show() -> None:
    rng = np.random.default_rng(3)
    documents, spread = 15, 0.1
    # The known standard error of the design, not an estimate of one draw.
    found = one(STYLE, list(spread * _standardized(rng, documents)), [0.0] * documents)
    assert found.detectable is not None
    shown = 0
    for _ in range(200):
        gains = rng.normal(found.detectable, spread, documents)
        shown += one(STYLE, list(gains), [0.0] * documents).holds is True
    assert 0.7 <= shown / 200 <= 0.9


def _standardized(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    drawn = rng.normal(0, 1, count)
    return (drawn - drawn.mean()) / drawn.std(ddof=1)
