"""What the author wrote in the place of an answer: a text of the author's like any other, asked for by the question."""

from collections.abc import Iterable, Iterator

from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.spans import Span, trimmed
from llm_twin_assets.datasets.words import word_count
from llm_twin_assets.domain.document import FEEDBACK, Category, CleanedDocument
from llm_twin_assets.domain.feedback import Feedback
from llm_twin_assets.domain.identity import content_hash
from llm_twin_assets.features.language import detect_language


def corrections_of(feedback: Iterable[Feedback]) -> list[CleanedDocument]:
    """The corrected texts that came with the author's own key, as documents; what others would have written is none."""
    return [
        _document(each, each.corrected_text)
        for each in feedback
        if each.author_key and each.corrected_text and each.question
    ]


def correction_drafts(document: CleanedDocument) -> Iterator[Draft]:
    """The question as it was asked, for all of the text."""
    yield Draft("correction", document.title, trimmed(document.text, Span(0, len(document.text))))


def _document(feedback: Feedback, text: str) -> CleanedDocument:
    return CleanedDocument(
        document_id=feedback.document_id,
        author=feedback.author,
        platform=FEEDBACK,
        category=Category.POST,
        url=None,
        title=feedback.question,
        text=text,
        language=detect_language(text),
        code_language=None,
        repository=None,
        path=None,
        published_at=feedback.created_at,
        words=word_count(text),
        content_hash=content_hash(feedback.question, text),
        raw_hash="",
        cleaner="",
    )
