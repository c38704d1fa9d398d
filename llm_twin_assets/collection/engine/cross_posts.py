"""The same piece on two platforms, told by its words: exactly, nearly, or as the part that a paywall lets through."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from llm_twin_assets.collection.engine.words import TEXT_TYPES, words_of
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.minhash import PERMUTATIONS, SCHEME, SEED, hashed, minhash, word_pairs

if TYPE_CHECKING:
    import numpy as np
    from datasketch import LeanMinHash

THRESHOLD = 0.8
# A greeting is said every year, and on every platform: it is a cross-post only if it was said in the same week.
SHORT = 8
SHORT_WITHIN = timedelta(days=7)
# Changing any of these makes signatures incomparable with those in the warehouse.
_SHINGLE = 2
_OPENING, _OPENING_PERMUTATIONS = 100, 64
# 21 bands of 6: a pair at the threshold is a candidate with a chance of .998, one at .5 with .28.
_BANDS = (21, 6)
# A text that one place has this often in variations is a template, not a piece that is elsewhere, too.
_CROWD = 100
# How much of an excerpt's opening has to be the whole's: estimated from 64 values, it is off by .1 now and then.
_CONTAINED = 0.7


@dataclass(frozen=True, slots=True)
class Marks:
    """What a text is recognised by, markup and punctuation aside.

    `signature` is MinHash over pairs of words, 128 values of the whole and 64 of its first hundred words, as
    little-endian 32-bit integers; empty for code and for fewer than eight words.
    """

    words: int
    words_hash: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A raw document without its text."""

    document_id: str
    platform: str
    source: str
    category: Category
    published_at: datetime | None
    words: int
    words_hash: str
    signature: bytes
    excerpt: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Where it is published: two pieces of one place are no cross-posts, however alike."""
        return self.platform, self.source


@dataclass(frozen=True, slots=True)
class Link:
    """`document_id` says what `canonical_id` says; `similarity` is the estimated Jaccard index or containment."""

    document_id: str
    canonical_id: str
    kind: Literal["exact", "near", "excerpt"]
    similarity: float


def fingerprint(text: str, media_type: str) -> Marks:
    """The marks of a text."""
    words = words_of(text, media_type)
    said = " ".join(words).encode("utf-8", "surrogatepass")
    prose = media_type.partition(";")[0].strip().lower() in TEXT_TYPES
    signature = _signature(words) if prose and len(words) >= SHORT else b""
    return Marks(len(words), hashlib.sha256(said).hexdigest(), signature)


def link(pieces: Sequence[Piece], threshold: float = THRESHOLD) -> list[Link]:
    """The copies among an author's pieces, each with the one that it is linked to; never a copy of a copy.

    The canonical one is the whole rather than an excerpt, then the earliest, then the longest, then the first by id.
    """
    linking = _Linking(threshold)
    eligible = (piece for piece in pieces if piece.words and piece.category is not Category.CODE)
    for piece in sorted(eligible, key=_precedence):
        linking.take(piece)
    return linking.links


_NEVER = datetime.max.replace(tzinfo=UTC)


def _precedence(piece: Piece) -> tuple[bool, datetime, int, str]:
    return piece.excerpt, piece.published_at or _NEVER, -piece.words, piece.document_id


def _apart(one: Piece, other: Piece) -> timedelta:
    """How long lies between two publications; very long if one of them has no date."""
    if one.published_at is None or other.published_at is None:
        return timedelta.max
    return abs(one.published_at - other.published_at)


class _Linking:
    """Pieces taken one by one, in order of precedence: each is a copy of one before it or stands for itself."""

    def __init__(self, threshold: float) -> None:
        from datasketch import MinHashLSH

        self.links: list[Link] = []
        self._threshold = threshold
        self._exact: dict[str, list[Piece]] = defaultdict(list)
        self._index: MinHashLSH = MinHashLSH(num_perm=PERMUTATIONS, params=_BANDS)
        self._indexed: dict[str, Piece] = {}
        self._wholes: list[Piece] = []

    def take(self, piece: Piece) -> None:
        if found := self._exactly(piece) or self._nearly(piece) or self._excerpted(piece):
            self.links.append(found)
            return
        self._exact[piece.words_hash].append(piece)
        if piece.signature and not piece.excerpt:
            self._wholes.append(piece)

    def _exactly(self, piece: Piece) -> Link | None:
        same = [each for each in self._exact[piece.words_hash] if each.place != piece.place]
        if piece.words < SHORT:
            same = [each for each in same if _apart(each, piece) <= SHORT_WITHIN]
        if not same:
            return None
        return Link(piece.document_id, min(same, key=lambda each: _apart(each, piece)).document_id, "exact", 1.0)

    def _nearly(self, piece: Piece) -> Link | None:
        """The most alike, the one nearest in time among equals; a piece that has none becomes a candidate itself."""
        if not piece.signature:
            return None
        sketch = _lean(piece)
        candidates = sorted((self._indexed[key] for key in self._index.query(sketch)), key=_precedence)
        alike = [
            (similarity, each)
            for each, similarity in zip(candidates, _shares(candidates, piece), strict=True)
            if similarity >= self._threshold and each.place != piece.place
        ]
        if alike:
            similarity, best = min(alike, key=lambda each: (-each[0], _apart(each[1], piece)))
            return Link(piece.document_id, best.document_id, "near", similarity)
        if len(candidates) < _CROWD:
            self._index.insert(piece.document_id, sketch)
            self._indexed[piece.document_id] = piece
        return None

    def _excerpted(self, piece: Piece) -> Link | None:
        """The whole that begins as the excerpt does; every whole has come before, see `_precedence`."""
        if not piece.excerpt or not piece.signature or not self._wholes:
            return None
        shares = (self._openings == _opening(piece.signature)).mean(axis=1)
        found: list[tuple[float, Piece]] = []
        for place in shares.nonzero()[0]:
            whole = self._wholes[place]
            contained = _containment(float(shares[place]), _shingles(piece, _OPENING), _shingles(whole, _OPENING))
            if contained >= _CONTAINED and whole.words > piece.words and whole.place != piece.place:
                found.append((contained, whole))
        if not found:
            return None
        contained, best = min(found, key=lambda each: (-each[0], _apart(each[1], piece)))
        return Link(piece.document_id, best.document_id, "excerpt", contained)

    @cached_property
    def _openings(self) -> "np.ndarray[Any, np.dtype[np.uint32]]":
        import numpy as np

        return np.stack([_opening(whole.signature) for whole in self._wholes])


def _shingles(piece: Piece, most: int) -> int:
    return min(piece.words, most) - _SHINGLE + 1


def _containment(jaccard: float, part: int, whole: int) -> float:
    """How much of the part is in the whole, from their Jaccard index and their sizes in shingles."""
    return min(1.0, jaccard * (part + whole) / ((1 + jaccard) * part))


def _values(signature: bytes) -> "np.ndarray[Any, np.dtype[np.uint32]]":
    import numpy as np

    return np.frombuffer(signature, dtype="<u4")


def _opening(signature: bytes) -> "np.ndarray[Any, np.dtype[np.uint32]]":
    return _values(signature)[PERMUTATIONS:]


def _shares(candidates: Sequence[Piece], piece: Piece) -> list[float]:
    """The estimated Jaccard indices."""
    import numpy as np

    size = PERMUTATIONS * 4
    joined = b"".join(each.signature[:size] for each in candidates)
    rows = np.frombuffer(joined, dtype="<u4").reshape(len(candidates), PERMUTATIONS)
    return [float(share) for share in (rows == _values(piece.signature)[:PERMUTATIONS]).mean(axis=1)]


def _lean(piece: Piece) -> "LeanMinHash":
    from datasketch import LeanMinHash

    return LeanMinHash(seed=SEED, hashvalues=_values(piece.signature)[:PERMUTATIONS], scheme=SCHEME)


def _signature(words: Sequence[str]) -> bytes:
    shingles = word_pairs(hashed(words))
    opening = shingles[: _OPENING - _SHINGLE + 1]
    signatures = (minhash(shingles), minhash(opening, _OPENING_PERMUTATIONS))
    return b"".join(each.astype("<u4").tobytes() for each in signatures)
