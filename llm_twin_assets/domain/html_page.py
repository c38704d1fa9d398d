"""A page of our own as one HTML file: no script, nothing from elsewhere, light and dark."""

from collections.abc import Iterable, Sequence
from html import escape

# What models and strangers wrote may stand on such a page. It is escaped; should one of its characters slip through all
# the same, the browser runs and fetches nothing (https://www.w3.org/TR/CSP3/).
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
svg { max-width: 100%; height: auto; }
"""


def html_page(title: str, parts: Iterable[str], style: str = "") -> str:
    """The whole page from its parts, which are HTML; empty ones are left out."""
    return (
        "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def headline(title: str, *, good: bool) -> str:
    """The title at the top, green or red."""
    return f"<h1 class='{'passed' if good else 'refused'}'>{escape(title)}</h1>"


def titled(title: str, content: str) -> list[str]:
    """A section; nothing where it has no content."""
    return [f"<h2>{escape(title)}</h2>", content] if content else []


def quiet(text: str) -> str:
    """A paragraph that need not be read."""
    return f"<p class='quiet'>{escape(text)}</p>"


def html_table(header: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain text."""
    head = "".join(f"<th>{escape(each)}</th>" for each in header)
    body = "".join(f"<tr>{''.join(_cell(each) for each in row)}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(text: str) -> str:
    kind = {"✓": " class='yes'", "✗": " class='no'"}.get(text, "")
    return f"<td{kind}>{escape(text)}</td>"
