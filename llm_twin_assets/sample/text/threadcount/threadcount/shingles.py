"""Find the pages that are the same page in another hat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from threadcount.overlap import Ngram, ngrams
from threadcount.words import words


@dataclass(frozen=True)
class Pair:
    """Two pages and the Jaccard similarity of their shingles."""

    first: str
    second: str
    similarity: float


def shingles(text: str, size: int = 5) -> set[Ngram]:
    """Return a page's shingles: its overlapping runs of `size` words. A shorter page is one shingle."""
    runs = ngrams(text, size)
    if runs:
        return runs
    length = len(words(text))
    return ngrams(text, length) if length else set()


def jaccard(left: set[Ngram], right: set[Ngram]) -> float:
    """Return the size of the intersection over the size of the union, 0.0 when both sets are empty."""
    union = len(left | right)
    return len(left & right) / union if union else 0.0


def near_duplicates(pages: Mapping[str, str], threshold: float = 0.8, size: int = 5) -> list[Pair]:
    """Return the pairs of pages whose similarity reaches the threshold, the most alike first.

    Every pair is compared. That is quadratic, and for one writer's pages it is still a matter of seconds.
    """
    sets = {name: shingles(text, size) for name, text in pages.items()}
    names = list(sets)
    pairs = [
        Pair(first, second, jaccard(sets[first], sets[second]))
        for i, first in enumerate(names)
        for second in names[i + 1 :]
    ]
    alike = [pair for pair in pairs if pair.similarity >= threshold]
    return sorted(alike, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def keep_first(pages: Mapping[str, str], threshold: float = 0.8, size: int = 5) -> dict[str, str]:
    """Map each near-duplicate to the earlier page that stands for it.

    Give the pages in order of publication. A page is compared only with pages that were kept, so a
    chain of small edits cannot drag two different pages together.
    """
    kept: dict[str, set[Ngram]] = {}
    aliases: dict[str, str] = {}
    for name, text in pages.items():
        own = shingles(text, size)
        original = next((k for k, other in kept.items() if jaccard(own, other) >= threshold), None)
        if original is None:
            kept[name] = own
        else:
            aliases[name] = original
    return aliases
