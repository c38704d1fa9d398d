from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.split import assign, split_of
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.datasets.made import words
from resources.settings import Dataset

SETTINGS = Dataset(min_test_documents=2)
# Each family has versions of one text that differ in a word.
FAMILIES = [words(60, f"family {number}") for number in range(6)]


def version(family: int, number: int) -> CleanedDocument:
    text = FAMILIES[family].split()
    text[number % 60] = "otherwise"
    return cleaned(f"{family}-{number}", " ".join(text))


DOCUMENTS = [version(family, number) for family in range(6) for number in range(8)]
CORPORA = st.sets(st.integers(0, len(DOCUMENTS) - 1), max_size=24).map(sorted)


@settings(max_examples=60, deadline=None)
@given(CORPORA, CORPORA)
def test_what_was_sealed_once_stays_sealed_whatever_comes(first: list[int], more: list[int]) -> None:
    before = [DOCUMENTS[each] for each in first]
    after = [DOCUMENTS[each] for each in sorted({*first, *more})]
    small = assign(before, SETTINGS)
    large = assign(after, SETTINGS, small.sealed)
    for document in before:
        if small.splits[document.document_id] is Split.TEST:
            assert large.splits[document.document_id] is Split.TEST


@settings(max_examples=60, deadline=None)
@given(CORPORA, CORPORA)
def test_without_memory_too_what_near_duplicates_seal_stays_sealed(first: list[int], more: list[int]) -> None:
    # Where the hash seals enough, nothing has to be remembered.
    enough = Dataset(min_test_documents=2, test_share=0.45, validation_share=0.1)
    small = assign([DOCUMENTS[each] for each in first], enough).splits
    large = assign([DOCUMENTS[each] for each in sorted({*first, *more})], enough).splits
    by_hash = {each: split_of(each, enough) for each in small}
    validated = any(small[each] is by_hash[each] is Split.VALIDATION for each in small)
    if list(by_hash.values()).count(Split.TEST) >= 2 and validated:
        assert all(large[each].rank <= split.rank for each, split in small.items())


@settings(max_examples=60, deadline=None)
@given(CORPORA)
def test_no_cluster_is_torn(chosen: list[int]) -> None:
    splits = assign([DOCUMENTS[each] for each in chosen], SETTINGS).splits
    for family in range(6):
        own = {splits[DOCUMENTS[each].document_id] for each in chosen if each // 8 == family}
        assert len(own) <= 1


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_documents_does_not_matter(order: list[int]) -> None:
    documents = [DOCUMENTS[each * 4] for each in range(12)]
    assert assign([documents[each] for each in order], SETTINGS) == assign(documents, SETTINGS)


def test_a_document_of_its_own_kind_lies_where_its_hash_says() -> None:
    documents = [cleaned(f"d{number}", words(30, f"d{number}")) for number in range(100)]
    splits = assign(documents, SETTINGS).splits
    assert splits == {each.document_id: split_of(each.document_id, SETTINGS) for each in documents}
    shares = [list(splits.values()).count(split) for split in Split]
    assert shares[0] > shares[2] > shares[1] > 0


def test_another_seed_seals_other_documents() -> None:
    other = Dataset(seed=99)
    assert [split_of(f"d{n}", SETTINGS) for n in range(50)] != [split_of(f"d{n}", other) for n in range(50)]


def test_a_new_near_duplicate_of_a_sealed_document_is_sealed() -> None:
    family = [version(0, number) for number in range(8)]
    sealed = next(each for each in family if split_of(each.document_id, SETTINGS) is Split.TEST)
    trained = next(each for each in family if split_of(each.document_id, SETTINGS) is Split.TRAIN)
    others = [cleaned(f"d{number}", words(30, f"d{number}")) for number in range(20)]
    found = assign([sealed, trained, *others], SETTINGS)
    assert found.splits[trained.document_id] is Split.TEST
    assert trained.document_id in found.sealed

    # Its neighbour is rewritten: by itself it would be trained on, and the test set of an earlier version with it.
    rewritten = replace(sealed, text=words(60, "rewritten"))
    assert assign([rewritten, trained, *others], SETTINGS).splits[trained.document_id] is Split.TRAIN
    assert assign([rewritten, trained, *others], SETTINGS, found.sealed).splits[trained.document_id] is Split.TEST


def test_the_document_that_stands_for_a_sealed_one_is_sealed() -> None:
    names = [f"d{number}" for number in range(40)]
    documents = [cleaned(name, words(30, name)) for name in names]
    own = {each.document_id: split_of(each.document_id, SETTINGS) for each in documents}
    sealed = next(each for each in documents if own[each.document_id] is Split.TEST)
    trained = next(each for each in documents if own[each.document_id] is Split.TRAIN)
    copy = replace(sealed, duplicate_of=trained.document_id)
    rest = [each for each in documents if each is not sealed]
    assert assign([copy, *rest], SETTINGS).splits[trained.document_id] is Split.TEST


def test_few_documents_are_sealed_until_there_are_enough_but_never_more_than_half() -> None:
    for count, sealed in ((2, 1), (4, 2), (6, 3), (40, 3)):
        documents = [cleaned(f"few{number}", words(30, f"few{number}")) for number in range(count)]
        splits = list(assign(documents, Dataset(min_test_documents=3, test_share=0.001)).splits.values())
        assert splits.count(Split.TEST) == sealed
        assert splits.count(Split.TRAIN) >= count / 2


def test_a_split_to_choose_models_by_is_never_empty_where_there_is_room() -> None:
    documents = [cleaned(f"few{number}", words(30, f"few{number}")) for number in range(12)]
    splits = list(assign(documents, Dataset(validation_share=0.001)).splits.values())
    assert splits.count(Split.VALIDATION) == 1
