"""What the traces know of the answers that people said something of, and what Phoenix does not know yet of that."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from llm_twin_assets.domain.feedback import Feedback
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.remark import Answered, Remark
from llm_twin_assets.inference.spans import project_of
from llm_twin_assets.monitoring.feedback import remark_by_hand
from llm_twin_assets.monitoring.traces import RETRIEVAL, ROOT, spans_of
from resources.phoenix_annotations import OURS, Annotation, PhoenixAnnotations, annotations

if TYPE_CHECKING:
    from phoenix.client.__generated__ import v1

_DOCUMENT = re.compile(r"retrieval\.documents\.\d+\.document\.metadata\.document_id")
# So many identifiers of traces fit into one address.
_AT_ONCE = 100
# How long the annotations that Phoenix was told of are looked at again, whether somebody changed them on its page.
_MAY_CHANGE = timedelta(days=30)
# A rewritten question is searched for several times.
_SPANS = 8


def remarks_on_page(
    phoenix: PhoenixAnnotations, url: str, author: str, rows: Iterable[Feedback], now: datetime
) -> dict[str, Remark]:
    """What people said on Phoenix's own page, by names that change with it; `rows` are what Phoenix was told before.

    Raises `TracesUnavailableError` and `AnnotationsUnavailableError`.
    """
    project = project_of(author)
    roots = _spans(url, author, phoenix.annotated_by_hand(project), [ROOT])
    answer_of = {span["context"]["span_id"]: span["context"]["trace_id"] for span in roots}
    said = [(answer_of[span], each) for span, each in phoenix.of_spans(project, list(answer_of))]
    told = {
        each.feedback_id: each.answer_id
        for each in rows
        if each.source == "service" and now - each.created_at < _MAY_CHANGE
    }
    said += [(told[each.identifier.removeprefix(OURS)], each) for _, each in phoenix.of_ours(project, sorted(told))]
    found = {}
    for answer_id, each in said:
        if each.by_hand and (remark := remark_by_hand(author, answer_id, each)):
            found[f"{each.row}@{digest([each.label, each.score, each.explanation])[:12]}"] = remark
    return found


def answers_of_traces(url: str, author: str, answer_ids: Collection[str]) -> dict[str, Answered]:
    """The words of answers that have a trace, empty where traces do without; raises `TracesUnavailableError`."""
    words: dict[str, dict[str, Any]] = {}
    documents: dict[str, list[str]] = {}
    for span in _spans(url, author, answer_ids, [ROOT, RETRIEVAL]):
        trace, said = span["context"]["trace_id"], span.get("attributes") or {}
        if span["name"] == ROOT:
            words[trace] = {"question": said.get("input.value") or "", "answer": said.get("output.value") or ""}
        documents.setdefault(trace, []).extend(documents_of(said))
    return {
        trace: Answered.model_validate({**said, "documents": tuple(dict.fromkeys(documents[trace]))})
        for trace, said in words.items()
    }


def documents_of(attributes: Mapping[str, object]) -> list[str]:
    """The documents that a span of retrieval found, by their ids, each as often as it was found."""
    return [str(value) for name, value in attributes.items() if _DOCUMENT.fullmatch(name)]


def unwritten(
    phoenix: PhoenixAnnotations, url: str, author: str, rows: Sequence[Feedback]
) -> tuple[list[tuple[str, Annotation]], set[str]]:
    """What Phoenix lacks of these rows, by span; and the rows' ids of whose answers it has no trace.

    Raises `TracesUnavailableError` and `AnnotationsUnavailableError`.
    """
    roots = _spans(url, author, {each.answer_id for each in rows}, [ROOT])
    span_of = {span["context"]["trace_id"]: span["context"]["span_id"] for span in roots}
    there = phoenix.of_spans(project_of(author), list(span_of.values()))
    known = {(span, each.name, each.identifier): each for span, each in there}
    lacking: list[tuple[str, Annotation]] = []
    for row in (row for row in rows if row.answer_id in span_of):
        span = span_of[row.answer_id]
        for each in _annotations(row):
            found = known.get((span, each.name, each.identifier))
            # What a person changed on Phoenix's page is that person's word.
            if phoenix.sends(each) and not (found and (found.by_hand or found.says(each))):
                lacking.append((span, each))
    return lacking, {row.feedback_id for row in rows if row.answer_id not in span_of}


def _annotations(row: Feedback) -> tuple[Annotation, ...]:
    return annotations(
        row.feedback_id, thumb=row.thumb, score=row.score, comment=row.comment, correction=row.corrected_text
    )


def _spans(url: str, author: str, traces: Collection[str], names: Sequence[str]) -> "list[v1.Span]":
    ids, found = sorted(traces), []
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        found += spans_of(url, author, {"trace_id": some, "name": list(names)}, _SPANS * len(some))
    return found
