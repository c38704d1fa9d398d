from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.tiers import SIZES, with_tiers, within
from llm_twin_assets.domain.sample import Sample, Split, Tier

KINDS = ("continuation", "heading_section", "title_opening")


def samples(documents: int, each: int) -> list[Sample]:
    return [
        Sample(f"{document}-{number}", Split.TRAIN, KINDS[number % 3], "?", "!", f"d{document}", 0, 1)
        for document in range(documents)
        for number in range(each)
    ]


def test_each_tier_holds_the_one_before_it_and_has_its_size() -> None:
    found = with_tiers(samples(300, 8))
    sizes = [len(within(found, tier)) for tier in Tier]
    assert sizes == [100, 500, 2000, 2400]
    for smaller, larger in zip(list(Tier), list(Tier)[1:], strict=False):
        assert set(within(found, smaller)) < set(within(found, larger))


def test_every_beginning_is_balanced_over_documents_and_kinds() -> None:
    for tier, size in ((Tier.XS, 100), (Tier.S, 500)):
        chosen = within(with_tiers(samples(60, 12)), tier)
        documents = Counter(sample.document_id for sample in chosen)
        assert len(documents) == 60
        assert max(documents.values()) - min(documents.values()) <= 1
        kinds = Counter(sample.kind for sample in chosen)
        assert min(kinds.values()) > size / 5


def test_a_rare_kind_comes_early() -> None:
    many = [Sample(f"m{n}", Split.TRAIN, "heading_section", "?", "!", f"d{n}", 0, 1) for n in range(900)]
    few = [Sample(f"f{n}", Split.TRAIN, "topic_post", "?", "!", f"p{n}", 0, 1) for n in range(30)]
    kinds = Counter(sample.kind for sample in within(with_tiers([*many, *few]), Tier.XS))
    assert kinds == {"heading_section": 70, "topic_post": 30}


def test_validation_and_test_are_the_same_in_every_tier() -> None:
    other = [Sample(split.value, split, "topic_post", "?", "!", "d", 0, 1) for split in (Split.VALIDATION, Split.TEST)]
    for tier in SIZES:
        kept = within(with_tiers([*samples(50, 50), *other]), tier)
        assert kept[-2:] == tuple(other)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(20)))
def test_the_order_of_samples_does_not_matter(order: list[int]) -> None:
    made = samples(60, 3)
    shuffled = [made[each] for each in order] + made[20:]
    assert set(with_tiers(shuffled)) == set(with_tiers(made))
