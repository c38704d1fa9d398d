"""The questioning of a judge from beginning to end: its family, the labelled pairs, the pairs of this evaluation."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.evaluation.judge.family import check_family
from llm_twin_assets.evaluation.judge.judge import Judged, Pair, judge, judge_measures
from llm_twin_assets.evaluation.judge.labels import agreement, read_labels
from llm_twin_assets.evaluation.measure import Kind, Measured
from resources.judge_settings import Judge
from resources.llm_cache import ReplyCache
from resources.llm_client import ChatClient
from resources.llm_usage import Usage
from resources.object_store import ObjectStore
from resources.tracing import Project


@dataclass(frozen=True)
class Session:
    """What a judge said; `agreement` is Cohen's kappa with people on `labels` pairs, which decides on `kind`."""

    judged: Judged
    agreement: float
    labels: int
    kind: Kind
    usage: Usage

    def measures(self) -> tuple[Measured, Measured]:
        """Candidate's and reference's figures."""
        return judge_measures(self.judged.judgements, self.kind, "; ".join(self._doubts()))

    def _doubts(self) -> Iterator[str]:
        judgements, dropped = self.judged.judgements, self.judged.dropped
        yield f"{sum(each.agrees for each in judgements)} of {len(judgements)} verdicts survived the swap"
        if dropped:
            yield f"{dropped.total()} pairs had no usable reply"
        yield f"kappa with people {self.agreement:.2f} on {self.labels} pairs" if self.labels else "not calibrated"
        if self.usage.cost:
            yield f"cost {self.usage.cost:.2f}"


def judged(
    author: str,
    pairs: Sequence[Pair],
    settings: Judge,
    candidate: frozenset[str],
    objects: ObjectStore,
    *,
    project: Project | None = None,
) -> Session:
    """Ask the judge about the first `samples` pairs of a candidate of the given families; kept replies cost nothing.

    Raises `ConfigurationError` for a judge of the candidate's family or unreadable labels, `LlmError` or
    `BudgetExceededError` where it cannot be asked any further.
    """
    check_family(settings, candidate)
    labels = read_labels(Path(settings.labels)) if settings.labels else []
    by_people = {each.pair().pair_id: each.winner for each in labels}
    cache = ReplyCache(objects, f"llm/{author}")

    async def run() -> tuple[Judged, Judged, Usage]:
        async with ChatClient(settings, cache, project=project) as chat:
            known = await judge([each.pair() for each in labels], chat)
            return known, await judge(pairs[: settings.samples], chat), chat.usage

    known, found, usage = asyncio.run(run())
    kappa, count = agreement(known.judgements, by_people)
    is_calibrated = count >= settings.least_labels and kappa >= settings.least_agreement
    return Session(found, kappa, count, "non_inferior" if is_calibrated else "report", usage)
