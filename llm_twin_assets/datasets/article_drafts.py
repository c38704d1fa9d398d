"""What could be asked of an article: every paragraph is the answer to one instruction, and to one alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.instructions import pick, wordings
from llm_twin_assets.datasets.spans import Span, closing_paragraphs, fences, passages, trimmed
from llm_twin_assets.datasets.words import word_count
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.sections import Section, sections

# A passage to go on from is quoted up to this length: with the answer it has to fit into a small model's context.
_QUOTED_WORDS = 120
# One section in so many is cut in the middle, its second half asked for as a continuation, if it is this long.
_HALVED, _HALF_WORDS = 3, 60
# What a section under a heading is asked for as; an outline says something from three headings on.
_KINDS = ("heading_section", "heading_section", "outline_section", "question")
_OUTLINE = 3
_LONGEST_OUTLINE = 12
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}\)")
# What is under these headings is the same everywhere, or a list of links.
_BOILERPLATE = re.compile(
    r"licen[cs]e|lizenz|licence|licencia|table of contents|contents|inhalt(?:sverzeichnis)?|sommaire|índice|"
    r"references|bibliography|footnotes|related (?:posts|articles|reading)|subscribe|share this|about the author",
    re.IGNORECASE,
)


def article_drafts(document: CleanedDocument, max_words: int) -> Iterator[Draft]:
    """Openings, sections by heading, outline or question, continuations of what is longer than an answer may be."""
    found = [section for section in sections(document.text) if document.text[section.body : section.end].strip()]
    # The title as a heading of its own says nothing of the plan; titles made of it are cut.
    headings = [each for each in map(_heading, found) if each and not each.startswith(document.title.rstrip("…"))]
    asked = _Asked(document, headings, max_words)
    for index, section in enumerate(found):
        heading = _heading(section)
        drafts = asked.section(section, heading, is_first=index == 0)
        if index and _BOILERPLATE.fullmatch(heading.strip(" .:")):
            yield from (replace(draft, unfit="section that every page has") for draft in drafts)
        else:
            yield from drafts


def _heading(section: Section) -> str:
    """The heading as it reads: a link is its text."""
    return _LINK.sub(r"\1", section.path[-1]).strip() if section.path else ""


class _Asked:
    """One document, asked for section by section."""

    def __init__(self, document: CleanedDocument, headings: Sequence[str], max_words: int) -> None:
        self._document = document
        self._headings = list(dict.fromkeys(headings))[:_LONGEST_OUTLINE]
        self._max_words = max_words

    def section(self, section: Section, heading: str, *, is_first: bool) -> Iterator[Draft]:
        text, key = self._document.text, f"{self._document.document_id}\n{heading}"
        span = trimmed(text, Span(section.body, section.end))
        if self._is_readme and not is_first and heading and pick(f"{key}\ncode", 2):
            code = next(fences(text, span), None)
            if code:
                yield self._draft("readme_code", heading, trimmed(text, code), key)
                return
        words = word_count(span.of(text))
        halved = words >= _HALF_WORDS and pick(f"{key}\nhalved", _HALVED) == 0
        parts = passages(text, span, min(self._max_words, -(-words // 2)) if halved else self._max_words)
        for number, part in enumerate(parts):
            if number:
                yield self._continuation(parts[number - 1], part, f"{key}\n{number}")
            elif is_first or not heading:
                yield self._draft("readme_opening" if self._is_readme else "title_opening", heading, part, key)
            else:
                yield self._draft(self._kind(heading, key), heading, part, key)

    @property
    def _is_readme(self) -> bool:
        """READMEs are the only articles that come from a repository; notebooks there are code."""
        return self._document.repository is not None and self._document.category is Category.ARTICLE

    def _kind(self, heading: str, key: str) -> str:
        if self._is_readme:
            return "readme_section"
        if heading.rstrip().endswith(("?", "？", "؟")):
            return "question"
        kind = _KINDS[pick(f"{key}\nkind", len(_KINDS))]
        return "heading_section" if kind == "outline_section" and len(self._headings) < _OUTLINE else kind

    def _draft(self, kind: str, heading: str, span: Span, key: str) -> Draft:
        first, *others = wordings(
            kind,
            self._document.language,
            key,
            title=self._document.title,
            heading=heading,
            repository=self._document.repository or "",
            outline="\n".join(f"- {each}" for each in self._headings),
        )
        if kind == "question" and heading.rstrip().endswith(("?", "？", "؟")):
            return Draft(kind, heading.strip(), span, (first, *others))
        return Draft(kind, first, span, tuple(others))

    def _continuation(self, before: Span, span: Span, key: str) -> Draft:
        text = self._document.text
        quoted = closing_paragraphs(text, before, _QUOTED_WORDS).of(text)
        first, *others = wordings(
            "continuation", self._document.language, key, title=self._document.title, before=_last_words(quoted)
        )
        return Draft("continuation", first, span, tuple(others))


def _last_words(text: str) -> str:
    """The end of a paragraph that is too long to be quoted whole."""
    if word_count(text) <= 2 * _QUOTED_WORDS:
        return text
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    return f"… {text[starts[-_QUOTED_WORDS] :]}" if len(starts) > _QUOTED_WORDS else f"… {text[-4 * _QUOTED_WORDS :]}"
