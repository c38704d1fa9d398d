"""What could be asked of code: documented definitions by what their comments say of them, a commit by its message."""

import ast
import inspect
from collections.abc import Iterator

from llm_twin_assets.datasets.article_drafts import article_drafts
from llm_twin_assets.datasets.code_comments import Documented, documented
from llm_twin_assets.datasets.commit_drafts import commit_drafts
from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.instructions import wordings
from llm_twin_assets.datasets.spans import Span, trimmed
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.features.chunk_grammars import grammar, language_of

_NAMES = {
    "c": "C", "cpp": "C++", "go": "Go", "java": "Java", "javascript": "JavaScript", "python": "Python", "rust": "Rust",
    "tsx": "TypeScript", "typescript": "TypeScript",
}  # fmt: skip


def code_drafts(document: CleanedDocument, max_words: int) -> Iterator[Draft]:
    """A draft for each documented definition; of a notebook, which is Markdown, what is asked of articles."""
    if document.is_commit:
        yield from commit_drafts(document)
        return
    language = language_of(document.code_language, document.path)
    if language == "markdown":
        yield from article_drafts(document, max_words)
        return
    known = grammar(language)
    if known is None or language is None:
        return
    found = _python(document.text) if language == "python" else documented(document.text, known)
    for each in found:
        first, *others = wordings(
            "docstring_code",
            "en",
            f"{document.document_id}\n{each.name}",
            language=_NAMES[language],
            noun=each.noun,
            name=each.name,
            summary=each.summary,
        )
        yield Draft("docstring_code", first, each.span, tuple(others))


def _python(text: str) -> Iterator[Documented]:
    """Functions and methods with a docstring, their decorators included."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # another Python, or hostile input: no sample
        return
    starts = _line_starts(text)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not (docstring := ast.get_docstring(node)):
            continue
        first = min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)
        span = trimmed(text, Span(starts[first - 1], starts[node.end_lineno or node.lineno]))
        summary = " ".join(inspect.cleandoc(docstring).split("\n\n")[0].split())
        yield Documented(node.name, "function", summary, span)


def _line_starts(text: str) -> list[int]:
    """Offsets of the lines as `ast` counts them (it splits at `\\n` alone once line ends are normalized)."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts
