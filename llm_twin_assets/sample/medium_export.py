"""Medium's export: README.html and one HTML page for each article, response and draft, in the h-entry microformat.

Three habits of the real thing that a reader meets here:

- The body repeats the title as its first heading (``graf--title``) and the subtitle as its second (``graf--subtitle``).
- A response is a page like any other, but it has no subtitle and its body has no title.
- A draft's file name begins with ``draft_``, and its footer has neither a date nor a canonical link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bs4 import BeautifulSoup

from llm_twin_assets.sample.markup import escape, render, to_html
from llm_twin_assets.sample.medium_grafs import graf_name, lower_headings, mark_grafs
from llm_twin_assets.sample.sources import AUTHOR_NAME, EXPORTED_AT, Article

_PROFILE = "https://medium.com/@mayalindqvist"
_EXPORTED = f'Exported from <a href="https://medium.com">Medium</a> on {EXPORTED_AT:%B %d, %Y}.'
_HEAD = '<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
_STYLE = """<style>
      * {
        font-family: Georgia, Cambria, "Times New Roman", Times, serif;
      }
      section p {
        margin-bottom: 27px;
        font-size: 20px;
      }
      header,
      section[data-field=subtitle],
      section[data-field=description] {
        display: none;
      }
      </style>"""


def medium_files(
    articles: Sequence[Article], responses: Sequence[Article], drafts: Sequence[Article]
) -> dict[str, str]:
    """Return the files of the archive, name to text."""
    files = {"README.html": _readme()}
    for article in [*articles, *drafts]:
        files[_file_name(article)] = _page(article, _titled_body(article))
    for response in responses:
        files[_file_name(response)] = _page(response, render(response.body))
    return files


def _post_id(article: Article) -> str:
    """Return the 12 hexadecimal digits that end every Medium address."""
    return article.url[-12:]


def _file_name(article: Article) -> str:
    """Name the file as Medium does: date or "draft", the title with a hyphen for each other sign, the id."""
    date = "draft" if article.published_at is None else f"{article.published_at:%Y-%m-%d}"
    title = re.sub(r"[^A-Za-z0-9]", "-", article.title).strip("-")
    return f"posts/{date}_{title}-{_post_id(article)}.html"


def _titled_body(article: Article) -> BeautifulSoup:
    """Render an article's body with its title and subtitle on top."""
    body = render(article.body)
    lower_headings(body)
    subtitle = body.new_tag("h4", attrs={"class": "graf--subtitle"}, string=article.subtitle)
    title = body.new_tag("h3", attrs={"class": "graf--title"}, string=article.title)
    body.insert(0, subtitle)
    body.insert(0, title)
    return body


def _page(article: Article, body: BeautifulSoup) -> str:
    """Write one page of the archive."""
    mark_grafs(body, seed=_post_id(article))
    title = escape(article.title)
    summary = f'<section data-field="subtitle" class="p-summary">\n{escape(article.subtitle)}\n</section>\n'
    return (
        f'{_HEAD}<title>{title}</title>{_STYLE}</head><body><article class="h-entry">\n'
        f'<header>\n<h1 class="p-name">{title}</h1>\n</header>\n'
        f"{summary if article.subtitle else ''}"
        '<section data-field="body" class="e-content">\n'
        f'<section name="{graf_name(_post_id(article), 0)}" class="section section--body section--first section--last">'
        '<div class="section-divider"><hr class="section-divider"></div><div class="section-content">'
        f'<div class="section-inner sectionLayout--insetColumn">{to_html(body)}</div></div></section>\n</section>\n'
        f"<footer>{_footer(article)}<p>{_EXPORTED}</p></footer></article></body></html>"
    )


def _footer(article: Article) -> str:
    """Write who published the page and when, or for a draft only where to look at it."""
    page = f"https://medium.com/p/{_post_id(article)}"
    moment = article.published_at
    if moment is None:
        return f'<p><a href="{page}">View original.</a></p>'
    return (
        f'<p>By <a href="{_PROFILE}" class="p-author h-card">{AUTHOR_NAME}</a> on <a href="{page}">'
        f'<time class="dt-published" datetime="{moment:%Y-%m-%dT%H:%M:%S}.000Z">{moment:%B} {moment.day}, {moment.year}'
        f'</time></a>.</p><p><a href="{article.url}" class="p-canonical">Canonical link</a></p>'
    )


def _readme() -> str:
    """Write the page that greets whoever unpacks the archive."""
    return (
        f"{_HEAD}<title>Medium archive</title></head><body><h1>Medium archive of {AUTHOR_NAME}</h1>"
        "<ul><li><b>posts</b>: stories, responses and drafts, one HTML file each</li></ul>"
        f"<p>{_EXPORTED}</p></body></html>"
    )
