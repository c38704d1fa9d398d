"""The report as Markdown: what Dagster shows beside the asset."""

from collections.abc import Sequence

from llm_twin_assets.domain.preview import markdown_table
from llm_twin_assets.evaluation.report import plots
from llm_twin_assets.evaluation.report.changes import Row
from llm_twin_assets.evaluation.report.page import HEADER, Page, comparison_rows, signed

# Event logs keep the page: a sample is a taste here, the HTML page has it whole.
_TASTE = 240
_LABEL = 140
_MOST_DOCUMENTS = 100


def markdown(page: Page) -> str:
    """One page that carries its own pictures; whatever a model or an author wrote is shown, never obeyed."""
    verdict = page.verdict
    parts = [
        f"# {page.title}",
        page.reason,
        "\n".join(f"- Note: {markdown_text(each)}" for each in verdict.warnings),
        markdown_table(HEADER, comparison_rows(verdict.comparisons), width=_LABEL),
        page.method,
        plots.as_image(plots.gains(verdict.comparisons), "gains by measure"),
        _section("Against the bare base", HEADER, comparison_rows(verdict.with_base)),
        "## Documents" if page.documents else "",
        plots.as_image(plots.scatter(page.documents, "bits per byte"), "candidate against reference"),
        _documents(page),
        _samples(page),
        _changes(page, page.since, [*page.data, *page.parameters]),
        _changes(page, "Cost", page.cost),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_text(text: str) -> str:
    """Text of unknown origin on a line of Markdown."""
    for character in "\\`*_[]|#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split()).replace("<", "&lt;")


def _documents(page: Page) -> str:
    rows = page.document_rows()
    return markdown_table(page.documents_header, rows, limit=_MOST_DOCUMENTS) if rows else ""


def _samples(page: Page) -> str:
    rows = [
        (f"{each.chosen}, {each.how}", signed(each.gain), each.instruction, each.author, each.candidate, each.reference)
        for each in page.samples
    ]
    return _section("Samples", ("", "gain", "instruction", "author", "candidate", "reference"), rows, _TASTE)


def _changes(page: Page, title: str, rows: Sequence[Row]) -> str:
    return _section(title, page.changes_header, [(each.what, each.before, each.now) for each in rows])


def _section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], width: int = _LABEL) -> str:
    return f"## {title}\n\n{markdown_table(header, rows, width=width)}" if rows else ""
