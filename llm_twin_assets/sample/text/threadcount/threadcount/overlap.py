"""Find what the training pages have already told the test pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threadcount.words import words

Ngram = tuple[str, ...]


def ngrams(text: str, n: int = 13) -> set[Ngram]:
    """Return every run of n words of a text, in lower case.

    Punctuation and case are ignored, because a leaked sentence is still a leak after a comma was moved.
    A text with fewer than n words has no run.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    lowered = [word.lower() for word in words(text)]
    return {tuple(lowered[i : i + n]) for i in range(len(lowered) - n + 1)}


def shared_ngrams(train: Iterable[str], test: Iterable[str], n: int = 13) -> set[Ngram]:
    """Return the runs of n words that stand in both splits. An honest split shares none."""
    seen: set[Ngram] = set()
    for text in train:
        seen |= ngrams(text, n)
    return {run for text in test for run in ngrams(text, n) if run in seen}


def overlap_rate(train: Iterable[str], test: Iterable[str], n: int = 13) -> float:
    """Return the share of the test split's distinct runs that the training split holds too, from 0.0 to 1.0.

    A test split that is too short to have a run gives 0.0, since there is nothing that could have leaked.
    """
    test_texts = list(test)
    runs = {run for text in test_texts for run in ngrams(text, n)}
    if not runs:
        return 0.0
    return len(shared_ngrams(train, test_texts, n)) / len(runs)


def leaking_pages(train: Mapping[str, str], test: Mapping[str, str], n: int = 13) -> dict[str, list[str]]:
    """Name, for each test page that shares a run of n words with training, the training pages it shares it with.

    Pages are given as a mapping of name to text. Clean test pages are left out, so an empty result is a pass.
    """
    train_runs = {name: ngrams(text, n) for name, text in train.items()}
    leaks: dict[str, list[str]] = {}
    for name, text in test.items():
        runs = ngrams(text, n)
        sources = sorted(source for source, seen in train_runs.items() if runs & seen)
        if sources:
            leaks[name] = sources
    return leaks
