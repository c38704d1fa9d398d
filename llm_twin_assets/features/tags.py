"""What an author filed a document under: the hashtags of a post, the tags of an article's front matter or page."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import unescape

from llm_twin_assets.collection.reading.front_matter import FrontMatterError, Page, listed_tags, split_page
from llm_twin_assets.domain.document import Category, RawDocument
from llm_twin_assets.features.language import FENCED

_MOST, _LONGEST = 50, 80
_HEAD = 65_536
# A number sign that opens a word: not within an address or a word, no `&#39;`, no heading.
_OPENING = re.compile(r"(?<![\w/&#＃])[#＃](?=[^\s#＃])")
_NOT_PROSE = re.compile(r"`[^`\n]+`|https?://\S+")
_COLOUR = re.compile(r"(?=.*\d)[0-9a-f]{3}(?:[0-9a-f]{3})?(?:[0-9a-f]{2})?")
_META = re.compile(r"<meta\b[^<>]{0,2000}>", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(?:property|name)\s*=\s*[\"']?(?:article:tag|parsely-tags)\b", re.IGNORECASE)
_CONTENT = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)


def tags_of(raw: RawDocument, text: str) -> tuple[str, ...]:
    """The tags of a document in lower case, sorted, each once; `text` is its cleaned text. Code has none."""
    found: Iterable[str] = raw.tags
    if raw.category is Category.POST:
        found = (*raw.tags, *hashtags(text))
    elif raw.category is Category.ARTICLE:
        found = (*raw.tags, *(page_tags(raw.content) if "html" in raw.media_type else front_matter(raw).tags))
    return normalized(found)


def hashtags(text: str) -> list[str]:
    """The hashtags of a text outside code and addresses, without their sign, in order.

    A hashtag is letters, marks, digits and underscores with at least one letter (Unicode UAX #31, hashtag
    identifiers); what `\\w` leaves out are the vowel signs of Indic scripts and the joiners.
    """
    prose = _NOT_PROSE.sub(" ", FENCED.sub(" ", text))
    found = ("".join(_word(prose, match.end())) for match in _OPENING.finditer(prose))
    return [tag for tag in found if any(map(str.isalpha, tag)) and not _COLOUR.fullmatch(tag.lower())]


def front_matter(raw: RawDocument) -> Page:
    """A Markdown document in two. What begins like front matter and does not parse is text."""
    # The `files` connector has parted it already: a rule that opens the body is not to be taken for front matter.
    if raw.platform == "files" or raw.media_type != "text/markdown":
        return Page({}, raw.content)
    try:
        return split_page(raw.content.removeprefix("\ufeff"))
    except FrontMatterError:
        return Page({}, raw.content)


def page_tags(html: str) -> list[str]:
    """The tags that a page's head states."""
    head = html[:_HEAD]
    contents = (_CONTENT.search(meta) for meta in _META.findall(head) if _PROPERTY.search(meta))
    return [tag for match in contents if match for tag in listed_tags(unescape(match[1] or match[2] or ""))]


def normalized(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags in lower case without their sign, blanks as single ones, sorted, each once."""
    plain = {" ".join(unicodedata.normalize("NFC", tag).lower().strip(" #＃\t\n").split()) for tag in tags}
    return tuple(sorted(tag for tag in plain if 0 < len(tag) <= _LONGEST))[:_MOST]


def _word(text: str, start: int) -> Iterator[str]:
    for character in text[start : start + _LONGEST]:
        if not (character.isalnum() or character in "_\u200c\u200d" or unicodedata.category(character)[0] == "M"):
            return
        yield character
