"""The report as one HTML page: no script, nothing from elsewhere, light and dark."""

from collections.abc import Iterable, Sequence
from html import escape

from llm_twin_assets.domain.release import Comparison
from llm_twin_assets.evaluation.report import plots
from llm_twin_assets.evaluation.report.changes import Row
from llm_twin_assets.evaluation.report.page import HEADER, Page, comparison_rows, signed
from llm_twin_assets.evaluation.report.samples import SideBySide

# What a model wrote stands on this page. It is escaped; should one of its characters slip through all the same, the
# browser runs and fetches nothing (https://www.w3.org/TR/CSP3/).
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f37; --bad: #c62828; --mark: #b45309; }
@media (prefers-color-scheme: dark) { :root { --good: #4ade80; --bad: #ff7b72; --mark: #fbbf24; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; border-left: .4rem solid; padding-left: .7rem; }
h1.passed { border-color: var(--good); } h1.refused { border-color: var(--bad); }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
.wide { overflow-x: auto; } .measures td:nth-child(n+3) { white-space: nowrap; }
.yes { color: var(--good); } .no { color: var(--bad); }
.note { border-left: .25rem solid var(--mark); padding-left: .7rem; }
.quiet { opacity: .75; font-size: .9rem; }
.sample { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; }
.sample > p { margin: 0; padding: .5rem .8rem; background: var(--soft); overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.sides div { padding: .5rem .8rem; } .sides h3 { font-size: .85rem; margin: 0; opacity: .75; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .2rem 0; }
svg { max-width: 100%; height: auto; }
"""


def html(page: Page) -> str:
    """The whole page."""
    verdict = page.verdict
    parts = [
        f"<h1 class='{'passed' if verdict.passed else 'refused'}'>{escape(page.title)}</h1>",
        f"<p>{escape(page.reason)}</p>",
        *(f"<p class='note'>{escape(each)}</p>" for each in verdict.warnings),
        _comparisons(verdict.comparisons),
        f"<p class='quiet'>{escape(page.method)}</p>",
        *_titled("Gains", plots.gains(verdict.comparisons)),
        *_titled("Against the bare base", _comparisons(verdict.with_base)),
        *_titled("Documents", plots.scatter(page.documents, "bits per byte") + _documents(page)),
        *_titled("Samples", "".join(_sample(each, verdict.reference) for each in page.samples)),
        *_titled(page.since, _changes(page, [*page.data, *page.parameters])),
        *_titled("Cost", _changes(page, page.cost)),
        _origin(page),
    ]
    return (
        "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>{escape(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _titled(title: str, content: str) -> list[str]:
    return [f"<h2>{escape(title)}</h2>", content] if content else []


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return ""
    return f"<div class='measures'>{_table(HEADER, comparison_rows(comparisons))}</div>"


def _documents(page: Page) -> str:
    if not page.documents:
        return ""
    table = _table(page.documents_header, page.document_rows())
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
    return _table(page.changes_header, [(each.what, each.before, each.now) for each in rows]) if rows else ""


def _origin(page: Page) -> str:
    verdict = page.verdict
    said = (
        f"model digest {verdict.model_digest}, dataset {verdict.dataset}, test set {verdict.test_digest}, "
        f"settings {verdict.config_digest}, evaluated {verdict.evaluated_at:%Y-%m-%d %H:%M} UTC"
    )
    return f"<p class='quiet'>{escape(said)}</p>"


def _table(header: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in header)
    body = "".join(f"<tr>{''.join(_cell(each) for each in row)}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(text: str) -> str:
    kind = {"✓": " class='yes'", "✗": " class='no'"}.get(text, "")
    return f"<td{kind}>{escape(text)}</td>"
