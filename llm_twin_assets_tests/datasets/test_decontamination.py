import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.decontamination import Sealed, decontaminate
from llm_twin_assets.datasets.words import ngrams, word_count, words_of
from llm_twin_assets.domain.sample import Sample, Split
from llm_twin_assets_tests.datasets.made import words


def sample(name: str, answer: str, split: Split = Split.TRAIN) -> Sample:
    return Sample(name, split, "topic_post", f"Write {name}.", answer, name, 0, len(answer))


SECRET = words(60, "sealed")


@pytest.mark.parametrize(("quoted", "kept"), [(12, True), (13, False), (30, False)])
def test_thirteen_words_in_a_row_are_one_too_many(quoted: int, kept: bool) -> None:
    leaking = sample("a", f"{words(200, 'own')} {' '.join(SECRET.split()[:quoted])} {words(200, 'more')}")
    found = decontaminate([leaking], {Split.TEST: [SECRET]}, 0.2)
    assert bool(found.samples) is kept


def test_a_large_share_of_eight_words_in_a_row_is_too_much() -> None:
    pieces = SECRET.split()
    answer = " ".join(" ".join([*pieces[start : start + 10], "but"]) for start in range(0, 60, 10))
    found = decontaminate([sample("a", answer)], {Split.TEST: [SECRET]}, 0.2)
    assert found.dropped == {"shares 8-grams with a more sealed split": 1}
    assert decontaminate([sample("a", answer)], {Split.TEST: [SECRET]}, 0.9).samples


def test_case_and_punctuation_hide_nothing() -> None:
    shouted = " -- ".join(SECRET.upper().split())
    assert not decontaminate([sample("a", shouted)], {Split.TEST: [SECRET]}, 1.0).samples


def test_an_instruction_can_leak_as_an_answer_can() -> None:
    leaking = Sample("a", Split.TRAIN, "continuation", f"Go on: {SECRET}", "Well then.", "d", 0, 10)
    assert not decontaminate([leaking], {Split.TEST: [SECRET]}, 0.2).samples


def test_each_split_is_compared_with_the_more_sealed_ones_alone() -> None:
    samples = [sample(split.value, SECRET, split) for split in Split]
    found = decontaminate(samples, {split: [SECRET] for split in Split}, 0.2)
    assert [each.split for each in found.samples] == [Split.TEST]
    assert found.report == {
        "train → validation and test": {
            "samples": 1, "dropped_13_gram": 1, "dropped_8_grams": 0, "kept_with_some_8_gram": 0,
        },
        "validation → test": {"samples": 1, "dropped_13_gram": 1, "dropped_8_grams": 0, "kept_with_some_8_gram": 0},
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list("abcde")), max_size=30), st.lists(st.sampled_from(list("abcd"))))
def test_shared_ngrams_are_those_that_a_reader_would_count(one: list[str], other: list[str]) -> None:
    def grams(said: list[str]) -> list[tuple[str, ...]]:
        return [tuple(said[start : start + 8]) for start in range(len(said) - 7)]

    overlap = Sealed.of([" ".join(other)]).overlap(" ".join(one))
    assert overlap.short == sum(gram in set(grams(other)) for gram in grams(one))
    assert overlap.shorts == len(grams(one))


def test_chinese_is_counted_by_its_characters() -> None:
    text = "我每天早上写一篇短文，然后去散步。" * 2
    assert word_count(text) == 32 + 2
    assert len(ngrams(words_of(text), 13)) == 30 - 12
    assert not decontaminate([sample("a", text)], {Split.TEST: [text[:20]]}, 0.2).samples
