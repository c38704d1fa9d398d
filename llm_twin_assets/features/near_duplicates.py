"""Near-duplicates among an author's documents of one category: one of them stands for all.

The same piece on two platforms is linked when it is collected; what is left are pieces published twice in one place,
copies of a file, and texts that only turn out to be alike once they are clean. Candidates are found by MinHash and
locality-sensitive hashing, and count only if the Jaccard index of their very shingles (pairs of words) is high enough.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

from llm_twin_assets.collection.engine.cross_posts import fingerprint
from llm_twin_assets.collection.engine.words import words_of
from llm_twin_assets.domain.document import Category, CleanedDocument

# SlimPajama, Gopher and RedPajama take .8 for web pages. An author's posts and files follow templates of their own: a
# post that differs in a number is another post, a file that differs in a line another file.
THRESHOLDS = {Category.ARTICLE: 0.8, Category.POST: 0.9, Category.CODE: 0.95}
# A greeting is said every year: below this many words nothing is a duplicate.
FEWEST_WORDS = {Category.ARTICLE: 20, Category.POST: 12, Category.CODE: 20}
# 21 bands of 6 of the 128 values: a pair at .8 is a candidate with a chance of .998, at .95 always.
_PERMUTATIONS, _BANDS, _ROWS = 128, 21, 6
# What 128 values estimate is off by .035 in one case of three: whatever is farther below the threshold is left out.
_OFF = 0.1
# Of the candidates only the most alike are looked at closely; of texts that share a band only so many are kept.
_CLOSELY, _CROWD = 4, 200
# Beyond this nothing is read: a longer text whose beginning is a copy, and whose length is the same, is one.
_READ = 400_000
_LENGTHS, _LENGTHS_UNREAD = 0.5, 0.98

_HEADER = re.compile(
    r"\A(?:#![^\n]*\n)?\s*(?:/\*.*?\*/|<!--.*?-->|(?:(?://|#|--|;|%)[^\n]*\n)+|(?:\"\"\"|''')[^\"']*?(?:\"\"\"|'''))",
    re.DOTALL,
)
_LICENCE = re.compile(r"licen[cs]e|copyright|spdx-", re.IGNORECASE)
_NEVER = datetime.max.replace(tzinfo=UTC)


def originals(documents: Iterable[CleanedDocument]) -> list[CleanedDocument]:
    """The documents that stand for themselves: the others are neither embedded nor trained on."""
    return [each for each in documents if each.duplicate_of is None]


def searchable(documents: Iterable[CleanedDocument]) -> list[CleanedDocument]:
    """The originals but commits, which are trained on and not embedded.

    A diff has the words of the files that it changed, and in its removed lines what is no longer so. Of the sample
    author's functions, asked for by their docstrings, 24 of 24 files came first without commits and 18 with them.
    """
    return [each for each in originals(documents) if not each.is_commit]


def signature(document: CleanedDocument) -> bytes:
    """MinHash of a text by which its near-duplicates are found; empty for one that is too short to have any."""
    text = _said(document)
    if len(text) < FEWEST_WORDS[document.category]:  # of one letter each
        return b""
    marks = fingerprint(text, _media_type(document))
    return marks.signature[: _PERMUTATIONS * 4] if marks.words >= FEWEST_WORDS[document.category] else b""


def duplicates(documents: Sequence[CleanedDocument]) -> dict[str, str]:
    """Ids of near-duplicates with that of the document that stands for them, which is never one itself.

    The earliest stands, of equals the longest, then the first by id: what is published later changes nothing.
    """
    eligible = sorted((each for each in documents if each.signature), key=_precedence)
    if len(eligible) < 2:
        return {}
    search = _Search(eligible)
    found = {}
    for at, document in enumerate(eligible):
        original = search.original(at)
        if original is None:
            search.add(at)
        else:
            found[document.document_id] = eligible[original].document_id
    return found


def _precedence(document: CleanedDocument) -> tuple[datetime, int, str]:
    return document.published_at or _NEVER, -len(document.text), document.document_id


class _Search:
    """The originals so far, by bands of their signatures; documents by their place in the order of precedence."""

    def __init__(self, documents: Sequence[CleanedDocument]) -> None:
        import numpy as np

        self._documents = documents
        joined = b"".join(each.signature for each in documents)
        self._values = np.frombuffer(joined, dtype="<u4").reshape(len(documents), _PERMUTATIONS)
        self._buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
        self._shingles = lru_cache(maxsize=32)(self._shingles_of)

    def add(self, at: int) -> None:
        """A document that stands for itself."""
        for key in self._keys(at):
            bucket = self._buckets[key]
            if len(bucket) < _CROWD:
                bucket.append(at)

    def original(self, at: int) -> int | None:
        """The document added that this one says again; of several the most alike."""
        keys = self._keys(at)
        candidates = sorted({each for key in keys if key in self._buckets for each in self._buckets[key]})
        if not candidates:
            return None
        threshold = THRESHOLDS[self._documents[at].category]
        estimates = (self._values[candidates] == self._values[at]).mean(axis=1)
        likely = sorted(
            ((-estimate, each) for estimate, each in zip(estimates, candidates, strict=True)
             if estimate >= threshold - _OFF)
        )[:_CLOSELY]  # fmt: skip
        verified = [(-self._jaccard(at, each), each) for _, each in likely]
        best = min(verified, default=None)
        return best[1] if best and -best[0] >= threshold else None

    def _keys(self, at: int) -> list[tuple[int, bytes]]:
        row = self._values[at].tobytes()
        width = _ROWS * 4
        return [(band, row[band * width : (band + 1) * width]) for band in range(_BANDS)]

    def _jaccard(self, one: int, other: int) -> float:
        first, second = self._documents[one], self._documents[other]
        if first.code_language != second.code_language:
            return 0.0
        shorter, longer = sorted((len(first.text), len(second.text)))
        if shorter < (_LENGTHS if longer <= _READ else _LENGTHS_UNREAD) * longer:
            return 0.0
        mine, its = self._shingles(one), self._shingles(other)
        shared = len(mine & its)
        return shared / (len(mine) + len(its) - shared)

    def _shingles_of(self, at: int) -> frozenset[tuple[str, str]]:
        document = self._documents[at]
        words = words_of(_said(document), _media_type(document))
        return frozenset(pairwise(words))


def _media_type(document: CleanedDocument) -> str:
    # Code as plain text: its words without its punctuation. As a code type it would get no signature.
    return "text/plain" if document.category is Category.CODE else "text/markdown"


def _said(document: CleanedDocument) -> str:
    """What a document is compared by: of code all but the licence at its top, which every file of a project has."""
    text = document.text[:_READ]
    if document.category is Category.CODE and (header := _HEADER.match(text)) and _LICENCE.search(header[0]):
        return text[header.end() :]
    return text
