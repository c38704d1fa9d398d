"""Instruct samples without a teacher: made-up instructions, the author's own words as answers."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llm_twin_assets.datasets.spans import Span, leading_paragraphs, trimmed
from llm_twin_assets.datasets.split import split_of
from llm_twin_assets.datasets.topic import topic_of
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash, digest
from llm_twin_assets.domain.sample import Sample, Split
from llm_twin_assets.domain.sections import sections
from resources.settings import Dataset


@dataclass(frozen=True, slots=True)
class Draft:
    """An instruction and where in its document the answer stands."""

    kind: str
    instruction: str
    span: Span


@dataclass(frozen=True, slots=True)
class Generated:
    """Samples, and how many drafts were left out, by reason."""

    samples: tuple[Sample, ...]
    dropped: dict[str, int]


def generate(documents: Iterable[CleanedDocument], settings: Dataset) -> Generated:
    """All samples of a corpus, in a stable order, each in the split of its document."""
    samples: list[Sample] = []
    dropped: Counter[str] = Counter()
    # Sealed documents first: where two documents share a text or an instruction, the copy in train is the one to go.
    order = {Split.TEST: 0, Split.VALIDATION: 1, Split.TRAIN: 2}
    ranked = sorted(documents, key=lambda d: (order[split_of(d.document_id, settings)], d.document_id))
    seen_texts: set[str] = set()
    seen_instructions: set[str] = set()
    for document in ranked:
        text_hash = content_hash(document.text)
        if text_hash in seen_texts:
            dropped["duplicate document"] += 1
            continue
        seen_texts.add(text_hash)
        for draft in drafts(document, settings):
            if reason := _unfit(draft, document, settings, seen_instructions):
                dropped[reason] += 1
                continue
            seen_instructions.add(draft.instruction)
            samples.append(_sample(draft, document, settings))
    return Generated(tuple(samples), dict(sorted(dropped.items())))


def drafts(document: CleanedDocument, settings: Dataset) -> Iterator[Draft]:
    """What could be asked of one document."""
    if document.category is Category.ARTICLE:
        yield from _article_drafts(document, settings.max_answer_words)
    elif document.category is Category.POST:
        yield Draft("topic_post", f"Write a post about {topic_of(document.text)}.", _whole(document.text))
    elif document.code_language == "python":
        yield from _function_drafts(document)


def _article_drafts(document: CleanedDocument, max_words: int) -> Iterator[Draft]:
    for index, section in enumerate(sections(document.text)):
        span = leading_paragraphs(document.text, Span(section.body, section.end), max_words)
        if index == 0:
            yield Draft("title_opening", f'Write the opening of the article "{document.title}".', span)
        elif heading := section.path[-1]:
            yield Draft("heading_section", f'From the article "{document.title}", write the section "{heading}".', span)


def _function_drafts(document: CleanedDocument) -> Iterator[Draft]:
    try:
        tree = ast.parse(document.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # another Python, or hostile input: no sample
        return
    starts = _line_starts(document.text)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not (docstring := ast.get_docstring(node)):
            continue
        first = min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)
        span = trimmed(document.text, Span(starts[first - 1], starts[node.end_lineno or node.lineno]))
        summary = docstring.split("\n\n")[0].replace("\n", " ")
        yield Draft("docstring_code", f"Write the Python function `{node.name}`: {summary}", span)


def _line_starts(text: str) -> list[int]:
    """Offsets of the lines as `ast` counts them (it splits at `\\n` alone once line ends are normalized)."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _whole(text: str) -> Span:
    return trimmed(text, Span(0, len(text)))


def _unfit(draft: Draft, document: CleanedDocument, settings: Dataset, seen: set[str]) -> str | None:
    words = len(draft.span.of(document.text).split())
    if words < settings.min_answer_words:
        return "answer too short"
    if words > settings.max_answer_words:
        return "answer too long"
    return "duplicate instruction" if draft.instruction in seen else None


def _sample(draft: Draft, document: CleanedDocument, settings: Dataset) -> Sample:
    answer = draft.span.of(document.text)
    return Sample(
        sample_id=digest([document.document_id, draft.kind, draft.instruction, answer])[:32],
        split=split_of(document.document_id, settings),
        kind=draft.kind,
        instruction=draft.instruction,
        answer=answer,
        document_id=document.document_id,
        start=draft.span.start,
        end=draft.span.end,
    )
