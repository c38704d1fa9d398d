"""Markdown files: front matter in YAML or TOML, or none; the title from it or from the first heading."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import yaml

from llm_twin_assets.collection.reading.dates import utc

_FENCES = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t\r]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t\r]*$", re.MULTILINE),
}
_DATE_KEYS = ("published_at", "published", "date", "publishdate", "pubdate", "created_at", "created")
_TAG_KEYS = ("tags", "tag", "categories", "category", "keywords", "topics")
_H1 = re.compile(r"^[ ]{0,3}#[ \t]+(.+?)[ \t]*#*[ \t]*$")
_SETEXT = re.compile(r"^[ ]{0,3}=+[ \t]*$")
_CODE_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})")


class FrontMatterError(ValueError):
    """Front matter that is there but cannot be parsed; `line` counts from 1 in the file."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file in two: what its front matter says, and the text below it, exact."""

    fields: Mapping[str, object]
    body: str

    @property
    def title(self) -> str | None:
        """The title of the front matter, else of the first H1."""
        stated = self.fields.get("title")
        if isinstance(stated, str | int | float) and str(stated).strip():
            return str(stated).strip()
        return first_heading(self.body)

    @property
    def published_at(self) -> datetime | None:
        """The first date that the front matter gives."""
        return next((moment for key in _DATE_KEYS if (moment := utc(self.fields.get(key)))), None)

    @property
    def is_draft(self) -> bool:
        """Whether it says `draft: true` (Hugo) or `published: false` (Jekyll)."""
        return self.fields.get("draft") is True or self.fields.get("published") is False

    @property
    def tags(self) -> tuple[str, ...]:
        """What the author filed it under, as stated; Zola keeps it one level down, in `[taxonomies]`."""
        nested = self.fields.get("taxonomies")
        places = (self.fields, nested if isinstance(nested, Mapping) else {})
        return tuple(tag for place in places for key in _TAG_KEYS for tag in listed_tags(place.get(key)))

    @property
    def url(self) -> str | None:
        """The address that the page itself states."""
        for key in ("canonical_url", "canonical", "url", "permalink"):
            stated = self.fields.get(key)
            if isinstance(stated, str) and stated.startswith(("https://", "http://")):
                return stated
        return None


def split_page(text: str) -> Page:
    """Part a Markdown file; raises `FrontMatterError` if it begins with front matter that does not parse."""
    opening = text[:3]
    first_line, _, rest = text.partition("\n")
    if opening not in _FENCES or first_line.rstrip() != opening:
        return Page({}, text)
    closing = _FENCES[opening].search(rest)
    if closing is None:
        return Page({}, text)
    fields = _toml(rest[: closing.start()]) if opening == "+++" else _yaml(rest[: closing.start()])
    if fields is None:
        return Page({}, text)  # `---` around prose is a pair of thematic breaks
    return Page({str(key).lower(): value for key, value in fields.items()}, rest[closing.end() :].lstrip("\r\n"))


def listed_tags(value: object) -> Iterator[str]:
    """Tags as front matter and `<meta>` write them: a list, or words between commas."""
    if isinstance(value, str):
        yield from (tag.strip() for tag in value.split(",") if tag.strip())
    elif isinstance(value, list):
        yield from (str(each).strip() for each in value if isinstance(each, str | int | float) and str(each).strip())


def first_heading(markdown: str) -> str | None:
    """The first H1 outside code: `# Title`, or a line underlined with `=`."""
    fence = ""
    previous = ""
    for line in markdown.splitlines():
        if mark := _CODE_FENCE.match(line):
            fence = _next_fence(fence, mark.group(1))
        elif not fence:
            if heading := _H1.match(line):
                return heading.group(1)
            if previous.strip() and _SETEXT.match(line):
                return previous.strip()
        previous = "" if fence else line
    return None


def _next_fence(fence: str, mark: str) -> str:
    if not fence:
        return mark
    return "" if mark[0] == fence[0] and len(mark) >= len(fence) else fence


def _yaml(text: str) -> Mapping[object, object] | None:
    try:
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise FrontMatterError(line, f"front matter is not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2024-13-45
        raise FrontMatterError(1, f"front matter is not YAML: {str(error).splitlines()[0]}") from error
    return {} if value is None else value if isinstance(value, dict) else None


def _toml(text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise FrontMatterError(int(found.group(1)) + 1 if found else 1, f"front matter is not TOML: {error}") from error
