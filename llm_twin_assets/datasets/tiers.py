"""Nested sizes of a train split: the first hundred samples are the best hundred to have."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from llm_twin_assets.domain.sample import Sample, Split, Tier

# A thousand samples with care taken are enough to learn a style (LIMA, Zhou et al. 2023): `s` and `m` lie around that.
SIZES: dict[Tier, int | None] = {Tier.XS: 100, Tier.S: 500, Tier.M: 2000, Tier.L: None}


def with_tiers(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The samples in the same order, each train sample with the smallest tier that holds it."""
    ranks = {sample.sample_id: rank for rank, sample in enumerate(_balanced(samples))}
    return tuple(
        replace(sample, tier=_tier(ranks[sample.sample_id])) if sample.sample_id in ranks else sample
        for sample in samples
    )


def within(samples: Iterable[Sample], tier: Tier) -> tuple[Sample, ...]:
    """Samples of a tier and of those in it."""
    sizes = list(SIZES)
    return tuple(sample for sample in samples if sizes.index(sample.tier) <= sizes.index(tier))


def _balanced(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Train samples so that every beginning holds documents equally often, and kinds as equally as there are any.

    First one sample of every document, then a second of those that have one; in each round kind after kind.
    """
    documents: dict[str, list[Sample]] = defaultdict(list)
    for sample in sorted((each for each in samples if each.split is Split.TRAIN), key=_order):
        documents[sample.document_id].append(sample)
    for number in range(max(map(len, documents.values()), default=0)):
        kinds: dict[str, list[Sample]] = defaultdict(list)
        for own in documents.values():
            if number < len(own):
                kinds[own[number].kind].append(own[number])
        yield from _by_turns([sorted(kinds[kind], key=_order) for kind in sorted(kinds)])


def _by_turns(lists: Sequence[Sequence[Sample]]) -> Iterator[Sample]:
    for turn in range(max(map(len, lists), default=0)):
        yield from (each[turn] for each in lists if turn < len(each))


def _order(sample: Sample) -> str:
    """As good as chance, and the same everywhere."""
    return hashlib.sha256(sample.sample_id.encode()).hexdigest()


def _tier(rank: int) -> Tier:
    return next(tier for tier, size in SIZES.items() if size is None or rank < size)
