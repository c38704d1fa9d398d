"""The report as one HTML page."""

from collections.abc import Sequence
from html import escape

from llm_twin_assets.domain.html_page import headline, html_page, html_table, quiet, titled
from llm_twin_assets.domain.release import Comparison
from llm_twin_assets.evaluation.report import plots
from llm_twin_assets.evaluation.report.changes import Row
from llm_twin_assets.evaluation.report.page import HEADER, Page, comparison_rows, signed
from llm_twin_assets.evaluation.report.samples import SideBySide

_STYLE = """
.sample { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; }
.sample > p { margin: 0; padding: .5rem .8rem; background: var(--soft); overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.sides div { padding: .5rem .8rem; } .sides h3 { font-size: .85rem; margin: 0; opacity: .75; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .2rem 0; }
"""


def html(page: Page) -> str:
    """The whole page."""
    verdict = page.verdict
    parts = [
        headline(page.title, good=verdict.passed),
        f"<p>{escape(page.reason)}</p>",
        *(f"<p class='note'>{escape(each)}</p>" for each in verdict.warnings),
        _comparisons(verdict.comparisons),
        quiet(page.method),
        *titled("Gains", plots.gains(verdict.comparisons)),
        *titled("Against the bare base", _comparisons(verdict.with_base)),
        *titled("Documents", plots.scatter(page.documents, "bits per byte") + _documents(page)),
        *titled("Samples", "".join(_sample(each, verdict.reference) for each in page.samples)),
        *titled(page.since, _changes(page, [*page.data, *page.parameters])),
        *titled("Cost", _changes(page, page.cost)),
        _origin(page),
    ]
    return html_page(page.title, parts, _STYLE)


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return ""
    return f"<div class='measures'>{html_table(HEADER, comparison_rows(comparisons))}</div>"


def _documents(page: Page) -> str:
    if not page.documents:
        return ""
    table = html_table(page.documents_header, page.document_rows())
    return f"<details><summary>{len(page.documents)} documents one by one</summary>{table}</details>"


def _sample(sample: SideBySide, reference: str) -> str:
    sides = {"the author": sample.author, "candidate": sample.candidate, reference: sample.reference}
    said = f"<b>{sample.chosen}</b>, {sample.how}, {signed(sample.gain)}: {escape(sample.instruction)}"
    return (
        f"<div class='sample'><p>{said}</p><div class='sides'>"
        + "".join(f"<div><h3>{escape(who)}</h3><pre>{escape(text)}</pre></div>" for who, text in sides.items())
        + "</div></div>"
    )


def _changes(page: Page, rows: Sequence[Row]) -> str:
    return html_table(page.changes_header, [(each.what, each.before, each.now) for each in rows]) if rows else ""


def _origin(page: Page) -> str:
    verdict = page.verdict
    said = (
        f"model digest {verdict.model_digest}, dataset {verdict.dataset}, test set {verdict.test_digest}, "
        f"settings {verdict.config_digest}, evaluated {verdict.evaluated_at:%Y-%m-%d %H:%M} UTC"
    )
    return quiet(said)
