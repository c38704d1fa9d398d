"""The sample author's texts as they lie under text/: articles with front matter, posts and comments in YAML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

AUTHOR_NAME = "Maya Lindqvist"
AUTHOR_EMAIL = "maya@example.com"

# The day on which Maya asked for her archives: later than every text, and fixed, so that each build is the same.
EXPORTED_AT = datetime(2026, 10, 16, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Article:
    """One Markdown page with its front matter. A draft has no date."""

    title: str
    subtitle: str
    url: str
    published_at: datetime | None
    post_id: int | None
    body: str


@dataclass(frozen=True)
class Post:
    """One LinkedIn post."""

    published_at: datetime
    activity_id: int
    shared_url: str
    text: str


@dataclass(frozen=True)
class Comment:
    """One comment that she left under somebody's LinkedIn post."""

    date: datetime
    link: str
    message: str


def read_article(path: Path) -> Article:
    """Read one Markdown file that begins with YAML between two lines of three hyphens."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    fields = yaml.safe_load(front)
    published = fields.get("published_at")
    return Article(
        title=fields["title"],
        subtitle=fields.get("subtitle", ""),
        url=fields["url"],
        published_at=None if published is None else _utc(published),
        post_id=fields.get("post_id"),
        body=body.strip("\n"),
    )


def read_articles(folder: Path) -> list[Article]:
    """Read a folder of articles in the order of their file names, which begin with the date."""
    return [read_article(path) for path in sorted(folder.glob("*.md"))]


def read_posts(path: Path) -> list[Post]:
    """Read the posts. Their line breaks are part of the text; only the one that ends the YAML block is not."""
    return [
        Post(_utc(item["published_at"]), item["activity_id"], item.get("shared_url", ""), item["text"].rstrip("\n"))
        for item in _read_list(path)
    ]


def read_comments(path: Path) -> list[Comment]:
    """Read the comments."""
    return [Comment(_utc(item["date"]), item["link"], item["message"].rstrip("\n")) for item in _read_list(path)]


def _read_list(path: Path) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return items


def _utc(value: datetime | str) -> datetime:
    """Accept both ways of writing a time in YAML: quoted, which gives a string, and bare, which gives a datetime."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment.tzinfo is None:
        raise ValueError(f"a time without a time zone: {value}")
    return moment.astimezone(UTC)
