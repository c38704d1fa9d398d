"""Two ranked lists as one: by their scores, or by their ranks alone."""

from collections.abc import Mapping, Sequence

from llm_twin_assets.domain.chunk import FoundChunk
from resources.settings import Retrieval
from resources.vector_store import Hit

# Where shares are counted from, between nothing and the last score of a list.
_ZERO = 0.5


def fuse(dense: Sequence[Hit], text: Sequence[Hit], how: Retrieval = Retrieval()) -> list[FoundChunk]:  # noqa: B008
    """Both lists as one, best first; each chunk keeps its rank (from 1) and score in either."""
    parts = _scores(dense), _scores(text)
    ranks = _ranks(dense), _ranks(text)
    shares = _by_rank(*ranks, how) if how.fusion == "ranks" else _by_score(*parts, how)
    rows = {str(hit.row["chunk_id"]): hit.row for hit in (*text, *dense)}
    found = [
        FoundChunk(
            chunk_id=chunk,
            document_id=row["document_id"],
            category=row["category"],
            platform=row["platform"],
            url=row["url"],
            title=row["title"],
            context=row["context"],
            start=row["start"],
            end=row["end"],
            text=row["text"],
            score=shares[chunk],
            fused_score=shares[chunk],
            dense_rank=ranks[0].get(chunk),
            text_rank=ranks[1].get(chunk),
            dense_score=parts[0].get(chunk),
            text_score=parts[1].get(chunk),
            ordinal=row.get("ordinal"),
        )
        for chunk, row in rows.items()
    ]
    return sorted(found, key=lambda each: (-each.score, each.dense_rank or len(rows) + 1, each.chunk_id))


def _by_score(dense: Mapping[str, float], text: Mapping[str, float], how: Retrieval) -> dict[str, float]:
    """Convex combination of the scores, each as a share of the best of its list, from 0 to 1.

    A share is counted from half the score of the list's last: between zero, which leaves the better list too little
    of a say (vectors of one language are never at right angles), and the last itself, the minimum-maximum scaling that
    spreads the noise of a model which finds all texts about as near (Bruch, Gai and Ingber, "An Analysis of Fusion
    Functions", TOIS 2023, compare the two ends). Chosen on 5 sets with 9 others in sight: docs/search.md.
    """
    whole = how.dense_weight + how.text_weight
    if not whole:
        return dict.fromkeys((*dense, *text), 0.0)
    dense_shares = _shares(dense, how.candidates)
    text_shares = _shares(text, how.candidates)
    return {
        chunk: (how.dense_weight * _share(dense_shares, chunk) + how.text_weight * _share(text_shares, chunk)) / whole
        for chunk in {**dense, **text}
    }


def _shares(scores: Mapping[str, float], full: int) -> dict[str, float]:
    """Shares of the best. Under "" what a chunk off the list is taken to have: the last's, if the list is full.

    A list that is not full names everything that scores at all, and its zero is zero.
    """
    best, last = max(scores.values(), default=0.0), min(scores.values(), default=0.0)
    if best <= 0:
        return {"": 0.0}
    zero = max(0.0, last) * _ZERO if len(scores) >= full else 0.0
    shares = {chunk: max(0.0, score - zero) / (best - zero) for chunk, score in scores.items()}
    return {**shares, "": min(shares.values()) if len(scores) >= full else 0.0}


def _share(shares: Mapping[str, float], chunk: str) -> float:
    return shares.get(chunk, shares[""])


def _by_rank(dense: Mapping[str, int], text: Mapping[str, int], how: Retrieval) -> dict[str, float]:
    """Weighted reciprocal rank fusion."""
    return {
        chunk: sum(
            weight / (how.rank_constant + ranks[chunk])
            for ranks, weight in ((dense, how.dense_weight), (text, how.text_weight))
            if chunk in ranks
        )
        for chunk in {**dense, **text}
    }


def _scores(hits: Sequence[Hit]) -> dict[str, float]:
    return {str(hit.row["chunk_id"]): hit.score for hit in hits}


def _ranks(hits: Sequence[Hit]) -> dict[str, int]:
    return {str(hit.row["chunk_id"]): rank for rank, hit in enumerate(hits, start=1)}
