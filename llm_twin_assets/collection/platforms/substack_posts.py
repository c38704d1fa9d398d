"""What a post of Substack's is, whichever way it comes: export, API, or the page with the API's answer in it."""

import html as html_entities
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llm_twin_assets.collection.connector import Found
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import Json, digest

# What a listing says of a post and changes with it; counts of likes and comments change by themselves.
_STATED = (
    "updated_at", "title", "subtitle", "slug", "type", "audience", "post_date", "canonical_url", "wordcount",
    "description", "truncated_body_text",
)  # fmt: skip
_PRELOADS = re.compile(r"window\._preloads\s*=\s*JSON\.parse\(\s*(?=\")")


@dataclass(frozen=True, slots=True)
class Shown:
    """A post as a listing shows it."""

    stable_id: str
    slug: str
    version: str
    authors: tuple[str, ...]
    posted: str | None

    @classmethod
    def of(cls, post: object) -> "Shown | None":
        """Read one item of `/api/v1/archive`; None if it lacks number or slug, or is another publication's post."""
        if not isinstance(post, Mapping) or not _number(post) or not _text(post, "slug"):
            return None
        if post.get("restacked_post_id") or post.get("type") == "restack":
            return None
        return cls(
            stable_id(_number(post)),
            _text(post, "slug"),
            digest({name: post.get(name) for name in _STATED})[:16],
            _authors(post.get("publishedBylines")),
            _text(post, "post_date") or None,
        )


def stable_id(number: object) -> str:
    """The number is Substack's own; slug and domain may change."""
    return f"substack:{number}"


def body(subtitle: str, html: str) -> str:
    """A post's HTML with its subtitle, which Substack keeps beside the body, as the first paragraph."""
    line = " ".join(subtitle.split())
    return (
        f'<p class="subtitle">{html_entities.escape(line, quote=False)}</p>\n{html.strip()}' if line else html.strip()
    )


def content(kind: str, html: str) -> tuple[Category, str, str]:
    """Category, content and media type: a thread is a post, everything else an article."""
    if kind != "thread":
        return Category.ARTICLE, html, "text/html"
    from llm_twin_assets.collection.reading.markup import parse, plain_text

    return Category.POST, plain_text(parse(html)), "text/plain"


def document(post: Mapping[str, Json], listing: str) -> Found | None:
    """The document in an answer of `/api/v1/posts/{slug}`; None if it holds no text (audio and video have none).

    `body_html` of a post that is not for everyone is what stands in front of the paywall, if anything: `audience` alone
    tells it from the whole.
    """
    whole, preview = _text(post, "body_html"), _text(post, "truncated_body_text")
    html = whole or (f"<p>{html_entities.escape(preview, quote=False)}</p>" if preview else "")
    if not _number(post) or not _has_words(html):
        return None
    category, text, media_type = content(_text(post, "type"), body(_text(post, "subtitle"), html))
    moment = utc(post.get("post_date"))
    return Found(
        stable_id=stable_id(_number(post)),
        category=category,
        title=_text(post, "title") or None,
        content=text,
        media_type=media_type,
        url=_web(_text(post, "canonical_url")),
        published_at=moment,
        dated_by="platform" if moment else "nothing",
        listing=listing,
        excerpt=not whole or _text(post, "audience") not in ("", "everyone"),
    )


def preloaded(page: str) -> Mapping[str, Json] | None:
    """The post that a page `/p/{slug}` carries for its own scripts, in the API's shape; None if it carries none."""
    start = _PRELOADS.search(page)
    if not start:
        return None
    try:
        # A JSON text in a JavaScript string, which is a JSON string, too.
        quoted, _ = json.JSONDecoder().raw_decode(page, start.end())
        value: Json = json.loads(quoted) if isinstance(quoted, str) else None
    except (ValueError, RecursionError):
        return None
    post = value.get("post") if isinstance(value, Mapping) else None
    return post if isinstance(post, Mapping) and _number(post) else None


def _number(post: Mapping[str, Json]) -> int | None:
    number = post.get("id")
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _text(post: Mapping[str, Json], name: str) -> str:
    value = post.get(name)
    return value.strip() if isinstance(value, str) else ""


def _web(url: str) -> str | None:
    return url if url.startswith(("https://", "http://")) else None


def _authors(bylines: Json) -> tuple[str, ...]:
    if not isinstance(bylines, Sequence) or isinstance(bylines, str):
        return ()
    names = [_text(each, name) for each in bylines if isinstance(each, Mapping) for name in ("name", "handle")]
    return tuple(name for name in names if name)


def _has_words(html: str) -> bool:
    from llm_twin_assets.collection.reading.markup import parse, words_of

    return bool(html.strip()) and bool(words_of(parse(html)))
