"""Telling the sample author from what installed packages say of themselves, and from others."""

import numpy as np
import pytest

from llm_twin_assets.evaluation.measures.authorship import (
    AuthorshipError,
    Text,
    authorship,
    authorship_measure,
    train_verifier,
    window_size,
)
from llm_twin_assets.evaluation.measures.authorship_features import features, windows, without_subject
from llm_twin_assets.evaluation.measures.authorship_logistic import Logistic, auc, calibration_error
from llm_twin_assets.evaluation.measures.authorship_others import package_prose
from llm_twin_assets_tests.evaluation.written import author_texts, output, sample

STUCK = (
    "Returns the name of the given value. Parameters: name, the name of the given model, and the name of the input. "
)


@pytest.fixture(scope="module")
def strangers():
    """What packages say of themselves; the verifier never reads the last of them."""
    return list(package_prose(70).items())


@pytest.fixture(scope="module")
def sealed():
    """Documents that the verifier never reads."""
    return dict(list(author_texts().items())[::5])


@pytest.fixture(scope="module")
def verifier(strangers, sealed):
    own = [Text(name, text) for name, text in author_texts().items() if name not in sealed]
    others = [Text(name, text[:2500], "packages") for name, text in strangers[:60]]
    base = [Text(name, STUCK * 3, "base") for name in sealed]
    return train_verifier([*own, *others, *base], 200)


def test_the_author_is_told_from_strangers_and_from_the_base(verifier):
    assert verifier.auc > 0.95
    assert verifier.auc_by_writer["packages"] > 0.95
    assert verifier.auc_by_writer["base"] > 0.95
    assert verifier.calibration_error < 0.1


def test_documents_that_it_never_read_are_told_as_well(verifier, sealed, strangers):
    own = [verifier.probability(name, text) for name, text in sealed.items()]
    others = [verifier.probability(name, text[:5000]) for name, text in strangers[60:]]
    assert np.median(own) > 0.9
    assert np.median(others) < 0.1


def test_a_commonplace_on_the_authors_own_subject_is_not_the_authors(verifier):
    commonplace = (
        "The twin uses embeddings and chunks to retrieve the relevant passages from the warehouse, which enables "
        "seamless integration of retrieval-augmented generation. It leverages state-of-the-art models to deliver "
        "robust results across a wide range of applications and provides accurate citations."
    )
    assert verifier.probability("x", commonplace) < 0.2


def test_next_to_no_text_is_nobodys(verifier):
    assert verifier.probability("x", "") == 0
    assert verifier.probability("x", "Yes, I do.") == 0


def test_values_are_by_document_and_of_prose_alone(verifier, sealed):
    name, text = next(iter(sealed.items()))
    code = sample("def count(words):\n    return len(words) + sum(map(len, words))", language="python", document="code")
    answers = [output(text, sample(text, document=name)), output(STUCK * 3, sample(document="d9")), output(text, code)]
    [(measure, values)] = authorship(verifier, answers, 0.8).items()
    assert measure.kind == "superiority"
    assert [each.document_id for each in values] == [name, "d9"]
    assert values[0].value > 0.7 > 0.3 > values[1].value


def test_a_verifier_that_cannot_tell_says_so_and_only_reports(strangers):
    mixed = [
        Text(name, text[:2000], "author" if at % 2 else "packages") for at, (name, text) in enumerate(strangers[:40])
    ]
    measure = authorship_measure(train_verifier(mixed, 200), 0.8)
    assert measure.kind == "report"
    assert "below 0.80: only reported" in measure.label


def test_too_few_documents_are_said_to_be_too_few():
    with pytest.raises(AuthorshipError, match="the author wrote too few documents"):
        train_verifier([Text("one", author_texts()["post-0"]), Text("a", STUCK, "base"), Text("b", STUCK, "base")], 100)


def test_a_score_never_comes_from_what_has_seen_the_document(strangers):
    """The base's answers are among the others: scored by a verifier that knew them, it would be at a disadvantage."""
    own = [Text(name, text) for name, text in author_texts().items()]
    others = [Text(name, text[:2500], "packages") for name, text in strangers[:20]]
    about = "post-3"  # an author's text under another name, as an answer of the base that is just as the author's
    like = author_texts()[about]
    without = [each for each in own if each.document != about]
    verifier = train_verifier([*without, *others, Text("sealed", like, "base"), Text("z", STUCK * 3, "base")], 200)
    assert verifier.probability("sealed", like) > 0.5


def test_windows_are_of_one_length_and_hold_no_markup_and_no_subject():
    text = "# Looms\n\nI *really* like `looms`, you know.\n\n```python\nprint('loom')\n```\n\nSee [this](http://x.y/z)."
    assert without_subject(text) == "* I really like *, you know. * this."
    pieces = windows("I like it, you know. " * 100, 200)
    assert {len(each) for each in pieces[:-1]} <= set(range(180, 201))
    assert windows("I like it.", 200) == ["I like it."]
    assert windows("```\ncode\n```", 200) == []


def test_windows_match_what_the_models_wrote():
    assert window_size([output("I like it, you know. " * 7)] * 3) == len(without_subject("I like it, you know. " * 7))
    assert window_size([output("Short.")]) == 80
    assert window_size([]) == 250


def test_the_regression_finds_the_weights_that_made_the_labels():
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(4000, 2))
    odds = rows @ [2.0, -1.0] + 0.5
    labels = (chance.random(4000) < 1 / (1 + np.exp(-odds))).astype(float)
    found = Logistic.fit(rows, labels, np.ones(4000), penalty=1e-6)
    assert found.weights == pytest.approx([2, -1], abs=0.2)
    assert found.constant == pytest.approx(0.5, abs=0.15)
    assert calibration_error(found.probabilities(rows), labels, np.ones(4000)) < 0.03
    # Twice as sure as is right.
    assert calibration_error(1 / (1 + np.exp(-3 * odds)), labels, np.ones(4000)) > 0.08


def test_auc_counts_ties_half():
    assert auc(np.array([3.0, 2.0, 1.0]), np.array([1.0, 1.0, 0.0])) == 1
    assert auc(np.array([1.0, 1.0, 0.0, 2.0]), np.array([1.0, 0.0, 1.0, 0.0])) == pytest.approx(0.125)


def test_a_text_without_letters_has_features_too():
    assert features(["", "?!", "日本"]).shape[0] == 3
