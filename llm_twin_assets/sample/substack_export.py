"""Substack's export: posts.csv, an HTML fragment for each post, and the list of subscribers.

A fragment holds the body alone; title, subtitle and date stand in posts.csv, whose post_id is also the file's name. The
address of a post is not in the export: it is the publication's address, ``/p/`` and what follows the number in the
post_id. A draft has a row and a file too, with is_published false and no date. The boxes that ask for a subscription
stand between the paragraphs. The list of subscribers is in the archive because it is in the real one: no reader of
ours may open it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from llm_twin_assets.sample.markup import render, to_html, wrap_list_items
from llm_twin_assets.sample.sources import Article

_POSTS_HEADER = [
    "post_id",
    "post_date",
    "is_published",
    "email_sent_at",
    "inbox_sent_at",
    "type",
    "audience",
    "title",
    "subtitle",
    "podcast_url",
]
_SUBSCRIBERS = """\
email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at
reader.one@example.com,false,,,false,2025-10-12T09:14:03.000Z,
reader.two@example.com,false,,,false,2026-01-26T19:40:51.000Z,
"""
_WIDGET = (
    '<div class="subscription-widget-wrap" data-attrs="{&quot;url&quot;:&quot;https://mayaweaves.substack.com/subscribe?'
    '&quot;,&quot;text&quot;:&quot;Subscribe&quot;,&quot;language&quot;:&quot;en&quot;}" '
    'data-component-name="SubscribeWidget"><div class="subscription-widget show-subscribe"><div class="preamble">'
    '<p class="cta-caption">Thanks for reading Maya Weaves. Subscribe for free to receive new posts.</p></div>'
    '<form class="subscription-widget-subscribe"><input type="email" class="email-input" name="email" '
    'placeholder="Type your email…" tabindex="-1"><input type="submit" class="button primary" value="Subscribe">'
    '<div class="fake-input-wrapper"><div class="fake-input"></div><div class="fake-button"></div></div></form>'
    "</div></div>"
)
_FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)


def substack_files(articles: Sequence[Article], drafts: Sequence[Article]) -> dict[str, str]:
    """Return the files of the archive, name to text."""
    files = {"posts.csv": posts_csv([*articles, *drafts]), "email_list.mayaweaves.csv": _SUBSCRIBERS}
    for article in [*articles, *drafts]:
        files[f"posts/{_post_id(article)}.html"] = fragment(article)
    return files


def posts_csv(articles: Sequence[Article]) -> str:
    """Write the table of posts. The letter went out when the post did, and nothing here is a podcast."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_POSTS_HEADER)
    for article in articles:
        moment = "" if article.published_at is None else f"{article.published_at:%Y-%m-%dT%H:%M:%S}.000Z"
        is_published = "true" if moment else "false"
        row = [moment, is_published, moment, moment, "newsletter", "everyone", article.title, article.subtitle, ""]
        writer.writerow([_post_id(article), *row])
    return table.getvalue()


def fragment(article: Article) -> str:
    """Write a post's body, with the subscription box in front of its second section."""
    body = render(article.body)
    wrap_list_items(body)
    for code in body.select("pre > code"):
        code.string = code.get_text().removesuffix("\n")
    start, *sections = to_html(body).split("<h2>")
    if len(sections) > 1:
        sections[0] += _WIDGET
    return "<h2>".join([start, *sections])


def _post_id(article: Article) -> str:
    """Return number and slug. The number is made up, grows with time and is the same at every build."""
    slug = article.url.rsplit("/", 1)[-1]
    return f"{article.post_id or _number(article, slug)}.{slug}"


def _number(article: Article, slug: str) -> int:
    if article.published_at is None:
        raise ValueError(f"a draft needs a post_id in its front matter: {article.title}")
    days = (article.published_at - _FIRST_DAY).days
    return 150_000_000 + days * 50_000 + int(hashlib.sha256(slug.encode()).hexdigest(), 16) % 50_000
