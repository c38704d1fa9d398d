"""Which passages a teacher is shown, and the questioning from beginning to end."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from llm_twin_assets.datasets.filters import DraftFilter, eligible
from llm_twin_assets.datasets.instruct import drafts
from llm_twin_assets.datasets.teacher import Lesson, Taught, teach
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.identity import Json
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets.inference.pipeline_traces import pipeline_traces
from resources.llm_cache import ReplyCache
from resources.llm_client import ChatClient
from resources.llm_settings import Teacher
from resources.llm_usage import Usage
from resources.object_store import ObjectStore
from resources.settings import Dataset, Settings
from resources.tracing import Project


def lessons(
    documents: Iterable[CleanedDocument], splits: Mapping[str, Split], settings: Dataset, scrubber: Scrubber
) -> list[Lesson]:
    """What leaves the machine: passages fit for a sample, of documents that are not sealed, without personal data."""
    found: list[Lesson] = []
    for document in sorted(eligible(documents, settings).documents, key=lambda each: each.document_id):
        if splits[document.document_id] is Split.TEST:
            continue
        fit = DraftFilter(document, settings, scrubber)
        if fitting := [draft for draft in drafts(document, settings) if fit.reason(draft) is None]:
            found.append(Lesson(document, fitting))
    return found


def taught(
    author: str,
    lessons: Sequence[Lesson],
    settings: Teacher,
    objects: ObjectStore,
    *,
    least_words: int = 8,
    project: Project | None = None,
) -> tuple[Taught, Usage]:
    """Ask the teacher about all lessons; what it was asked before costs nothing.

    Raises `LlmError`, `BudgetExceededError` or `ConfigurationError` where it cannot be asked any further.
    """
    cache = ReplyCache(objects, f"llm/{author}")

    async def run() -> tuple[Taught, Usage]:
        async with ChatClient(settings, cache, project=project) as chat:
            return await teach(lessons, chat, settings, least_words=least_words), chat.usage

    return asyncio.run(run())


def consulted(
    author: str,
    documents: Iterable[CleanedDocument],
    splits: Mapping[str, Split],
    settings: Settings,
    scrubber: Scrubber,
    objects: ObjectStore,
) -> tuple[Taught, dict[str, Json]]:
    """What the teacher that `twin.yaml` names makes of an author's documents, and a report; nothing without one."""
    if settings.teacher is None:
        return Taught(), {}
    shown = lessons(documents, splits, settings.dataset, scrubber)
    least_words = settings.dataset.min_answer_words
    with pipeline_traces(author, settings) as project:
        made, usage = taught(author, shown, settings.teacher, objects, least_words=least_words, project=project)
    return made, report(made, usage, settings.teacher.model)


def report(taught: Taught, usage: Usage, model: str) -> dict[str, Json]:
    """What a teacher did, for whoever looks at the version in Dagster."""
    return {
        "model": model,
        "drafts": dict(sorted(taught.kinds.items())),
        "refused": sum(map(len, taught.refused.values())),
        "dropped": dict(sorted(taught.dropped.items())),
        "scores": {str(score): count for score, count in sorted(taught.scores.items())},
        "usage": {**asdict(usage), "cost": round(usage.cost, 4)},
    }
