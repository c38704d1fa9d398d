"""What an evaluation's report shows, put together."""

from collections.abc import Sequence

from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.exam.contestants import Contestants
from llm_twin_assets.evaluation.exam.exam import Paper
from llm_twin_assets.evaluation.exam.examination import Sheet
from llm_twin_assets.evaluation.measures.answer_overlap import word_f1
from llm_twin_assets.evaluation.report.changes import (
    Row,
    Trained,
    data_changes,
    parameter_changes,
    training_cost,
)
from llm_twin_assets.evaluation.report.page import Page
from llm_twin_assets.evaluation.report.plots import Point
from llm_twin_assets.evaluation.report.samples import side_by_side
from llm_twin_assets.evaluation.sealed import SealedDocument
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings


def page_of(
    verdict: Verdict,
    contestants: Contestants,
    candidate: Sheet,
    reference: Sheet,
    paper: Paper,
    objects: ObjectStore,
    registry: Registry,
    settings: Settings,
) -> Page:
    """The page on a verdict: what both wrote, what changed from one to the other, what it cost."""

    def trained(number: str) -> Trained:
        return Trained.of(objects, verdict.author, registry.tags(verdict.author, number))

    before = trained(contestants.champion.version) if contestants.champion else None
    now = trained(contestants.candidate.version)
    return Page(
        verdict=verdict,
        confidence=settings.evaluation.confidence,
        documents=tuple(_points(paper.exam.documents, candidate, reference)),
        samples=tuple(
            side_by_side(
                candidate.written,
                reference.written,
                lambda output: word_f1(output.text, output.prompt.sample.answer),
                settings.evaluation.seed,
            )
        ),
        data=tuple(data_changes(before, now)),
        parameters=tuple(parameter_changes(before, now)),
        cost=(*training_cost(before, now), *_evaluation_cost(candidate, reference)),
    )


def _points(documents: Sequence[SealedDocument], candidate: Sheet, reference: Sheet) -> list[Point]:
    ours, theirs = ({each.document_id: each.value for each in sheet.bits_per_byte} for sheet in (candidate, reference))
    return [
        Point(each.title or each.document_id, theirs[each.document_id], ours[each.document_id]) for each in documents
    ]


def _evaluation_cost(candidate: Sheet, reference: Sheet) -> list[Row]:
    return [
        Row("evaluation, seconds", f"{reference.seconds:.1f}", f"{candidate.seconds:.1f}"),
        Row("evaluation, tokens read and written", str(reference.tokens), str(candidate.tokens)),
    ]
