"""Two answers of about the same length: the longer one is cut where a sentence ends, or there is no pair."""

import math

from llm_twin_assets.datasets.words import word_count
from llm_twin_assets.inference.words import sentences


def are_matched(chosen: str, rejected: str, ratio: float) -> bool:
    """Whether neither has more than `ratio` times the words of the other."""
    shorter, longer = sorted((word_count(chosen), word_count(rejected)))
    return 0 < longer <= ratio * shorter


def matched(chosen: str, rejected: str, ratio: float, *, finished: bool = True) -> str | None:
    """The rejected answer, or as many of its sentences as come closest in length; None if no cut is close enough.

    An answer that is not `finished` broke off: it is cut in any case, or how it ends would be what is learnt.
    """
    rejected = rejected.strip()
    if finished and are_matched(chosen, rejected, ratio):
        return rejected
    ends = [each.end for each in sentences(rejected)]
    # The last one is the whole, which was too long, too short, or broke off.
    cuts = [cut for end in ends[:-1] if _is_whole(cut := rejected[:end]) and are_matched(chosen, cut, ratio)]
    wanted = math.log(word_count(chosen) or 1)
    return min(cuts, key=lambda cut: abs(math.log(word_count(cut)) - wanted), default=None)


def _is_whole(text: str) -> bool:
    """Whether no fenced block is open at the end."""
    return sum(line.lstrip().startswith(("```", "~~~")) for line in text.splitlines()) % 2 == 0
