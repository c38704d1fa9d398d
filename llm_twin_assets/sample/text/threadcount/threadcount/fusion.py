"""Let several rankings agree on one, by rank and never by score."""

from __future__ import annotations

from collections.abc import Sequence


def reciprocal_rank_fusion(rankings: Sequence[Sequence[str]], k: int = 60) -> list[tuple[str, float]]:
    """Fuse rankings with the method of Cormack, Clarke and Büttcher (2009), the best document first.

    Each ranking gives each of its documents 1 / (k + rank), with ranks counted from 1, and the shares
    are added up. A document that one ranking names twice counts at its better place only. Ties are
    broken by the document's id, so that the same question gives the same order tomorrow.
    """
    if k < 0:
        raise ValueError(f"k must not be negative, not {k}")
    scores: dict[str, float] = {}
    for ranking in rankings:
        # dict.fromkeys keeps the first place of each document and drops the later ones.
        for rank, document in enumerate(dict.fromkeys(ranking), start=1):
            scores[document] = scores.get(document, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def recall_at(ranking: Sequence[str], relevant: set[str], limit: int) -> float:
    """Return the share of the relevant documents that stand among the first `limit` of a ranking."""
    if not relevant:
        raise ValueError("recall needs at least one relevant document")
    return len(relevant.intersection(ranking[:limit])) / len(relevant)
