"""LinkedIn's data export: Shares.csv, Comments.csv, Profile.csv and one HTML page for each article.

The format was read off exports that people keep in public GitHub repositories (Shares.csv and Comments.csv of
sanand0/linkedin, data/Shares.csv of GEJ1/buscador-linkedin, the article pages of boriskehr76/ask-boris) and off the
rules of Hermione-Granger-1176/linkedin-analyzer. Only the format was taken. Each CSV has a dialect of its own:

- Shares.csv puts a quote on both sides of every line break before it quotes the field as CSV does. The raw file
  holds ``""`` LF ``""`` for each break, a parser hands back ``"`` LF ``"``, and an empty line becomes ``""`` alone.
  An empty SharedUrl or MediaUrl is written as ``""``.
- Comments.csv escapes a quote with a backslash and leaves line breaks alone.

Both are in UTC, newest first, with LF between the rows. A published article's file is named after its address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from llm_twin_assets.sample.markup import code_of, escape, render, to_html, wrap_list_items
from llm_twin_assets.sample.sources import AUTHOR_NAME, Article, Comment, Post

_SHARES_HEADER = "Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility"
_COMMENTS_HEADER = "Date,Link,Message"
_PROFILE_HEADER = (
    "First Name,Last Name,Maiden Name,Address,Birth Date,Headline,Summary,Industry,Zip Code,Geo Location,"
    "Twitter Handles,Websites,Instant Messengers"
)
_HEADLINE = "ML engineer, Gothenburg. I build LLM twins and write about it."
_SUMMARY = "I build systems that know what one person wrote and say which page they took it from. Boring on purpose."
_SHARE_LINK = "https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A"
_STYLE = """\
    body {
      margin: 0 auto;
      width: 744px;
      font-family: Source Serif Pro, serif;
    }
    .created, .published {
      color: rgba(0, 0, 0, 0.55);
      font-size: 15px;
    }
    pre {
      background: #F3F6F8;
      font-family: monospace;
      white-space: pre;
    }"""


def linkedin_files(posts: Sequence[Post], comments: Sequence[Comment], articles: Sequence[Article]) -> dict[str, str]:
    """Return the files of the archive, name to text."""
    files = {"Shares.csv": shares_csv(posts), "Comments.csv": comments_csv(comments), "Profile.csv": profile_csv()}
    for article in articles:
        slug = article.url.rsplit("/", 1)[-1]
        files[f"Articles/Articles/{slug}.html"] = article_page(article)
    return files


def shares_csv(posts: Sequence[Post]) -> str:
    """Write the posts, with the quotes round every line break that the real file has."""
    rows = [_SHARES_HEADER]
    for post in sorted(posts, key=lambda post: post.published_at, reverse=True):
        commentary = _csv_field(post.text.replace("\n", '"\n"'))
        shared = _csv_field(post.shared_url) or '""'
        start = f"{post.published_at:%Y-%m-%d %H:%M:%S},{_SHARE_LINK}{post.activity_id}"
        rows.append(f'{start},{commentary},{shared},"",MEMBER_NETWORK')
    return "\n".join(rows) + "\n"


def comments_csv(comments: Sequence[Comment]) -> str:
    """Write the comments, with backslashes before the quotes."""
    rows = [
        f"{comment.date:%Y-%m-%d %H:%M:%S},{comment.link},{_escaped_field(comment.message)}"
        for comment in sorted(comments, key=lambda comment: comment.date, reverse=True)
    ]
    return "\n".join([_COMMENTS_HEADER, *rows]) + "\n"


def profile_csv() -> str:
    """Write the one row of the profile. Of the private columns the place alone is filled in."""
    first, last = AUTHOR_NAME.split(" ")
    place = "Gothenburg, Västra Götaland County, Sweden"
    values = [first, last, "", "", "", _HEADLINE, _SUMMARY, "Software Development", "", place, "", "", ""]
    return f"{_PROFILE_HEADER}\n{','.join(_csv_field(value) for value in values)}\n"


def article_page(article: Article) -> str:
    """Write an article's page. LinkedIn knows no subtitle, so that is left out."""
    if article.published_at is None:
        raise ValueError(f"an article needs a date: {article.title}")
    created = article.published_at - timedelta(minutes=38)
    body = render(article.body)
    wrap_list_items(body)
    for pre in body.find_all("pre"):
        pre.string = code_of(pre)[1]
        pre["spellcheck"] = "false"
    return (
        f"<html>\n<head>\n  <title>{escape(article.title)}</title>\n  <style>\n{_STYLE}\n  </style>\n</head>\n<body>\n"
        f'      <h1><a href="{article.url}">{escape(article.title)}</a></h1>\n'
        f'    <p class="created">Created on {created:%Y-%m-%d %H:%M}</p>\n'
        f'  <p class="published">Published on {article.published_at:%Y-%m-%d %H:%M}</p>\n'
        f"  <div>{to_html(body)}</div>\n</body>\n</html>\n"
    )


def _csv_field(value: str) -> str:
    """Quote a field where CSV asks for it, with quotes doubled."""
    if not any(mark in value for mark in ',"\n'):
        return value
    return '"' + value.replace('"', '""') + '"'


def _escaped_field(value: str) -> str:
    """Quote a field where CSV asks for it, with a backslash before each quote."""
    if not any(mark in value for mark in ',"\n'):
        return value
    return '"' + value.replace('"', '\\"') + '"'
