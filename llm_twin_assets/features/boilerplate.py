"""Boilerplate of a site: paragraphs that many of its documents carry at their edges, whoever's page layout it is.

No rule knows them ("If not otherwise stated, all images are mine.", a course's advertisement under each lesson). What
tells is that they recur (Kohlschütter et al., "Boilerplate Detection using Shallow Text Features", 2010, section 3.2:
block frequency per site), so documents of one site are looked at together. What protects the author's words: a
paragraph counts only near an edge; it goes only if it, or its neighbour in one row, is a sentence rather than a heading
("Conclusion") or a caption ("Image by author"); and never half of a document.

Cost follows change. What was taken from a document is on record in its `cleaner`, so that the others of its site need
not be cleaned again to know what they had; a paragraph that has become boilerplate stays so until it is half as common.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import groupby
from urllib.parse import urlsplit

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash
from llm_twin_assets.features.chrome import joined
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.text_lines import Line, paragraphs

# How many paragraphs from an edge inwards are looked at, and what a sentence has at least.
_HEAD, _TAIL = 8, 14
_SENTENCE = 4
# A fifth of a site's documents, but half of a small site's: layouts change over the years, a series' introduction is
# the author's own. Measured on 76 articles of two newsletters and on 598 notes and posts without boilerplate.
_SHARE, _SMALL, _FEWEST = 0.2, 5, 3
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Edges:
    """Keys of the paragraphs at a document's two edges, as they were before anything was taken."""

    head: frozenset[str]
    tail: frozenset[str]

    @property
    def keys(self) -> frozenset[str]:
        """Both edges' keys, which differ: what stands on top says nothing about what stands below."""
        return self.head | self.tail


@dataclass(frozen=True, slots=True)
class Taken:
    """Keys of what was taken from a document's head and tail, outermost first; written into its `cleaner`."""

    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()

    @classmethod
    def from_(cls, document: CleanedDocument) -> "Taken":
        """What the document's `cleaner` says was taken."""
        _, _, record = document.cleaner.partition("/")
        head, _, tail = record.partition("/")
        return cls(tuple(filter(None, head.split("."))), tuple(filter(None, tail.split("."))))

    @property
    def keys(self) -> frozenset[str]:
        """Both edges' keys."""
        return frozenset((*self.head, *self.tail))

    def record(self, cleaner: str) -> str:
        """`cleaner` with what was taken."""
        return f"{rules_of(cleaner)}/{'.'.join(self.head)}/{'.'.join(self.tail)}" if self.head or self.tail else cleaner


def rules_of(cleaner: str) -> str:
    """The version of the cleaning rules in a document's `cleaner`."""
    return cleaner.partition("/")[0]


def without_boilerplate(
    documents: Sequence[CleanedDocument],
    changed: Collection[str],
    cleaned_again: Callable[[str], CleanedDocument],
) -> tuple[CleanedDocument, ...]:
    """The documents without their sites' boilerplate. Sites of which none is `changed` (by id) are not looked at.

    `cleaned_again` gives a document by its id with nothing taken, for those that had something taken that is no
    boilerplate any more; one that cannot be cleaned any more (`CleaningError`) stays as it is. Articles alone: of posts
    and code nothing that recurs is layout.
    """
    settled: dict[str, CleanedDocument] = {}
    articles = sorted((each for each in documents if changed and each.category is Category.ARTICLE), key=_site)
    for _, site in groupby(articles, key=_site):
        together = list(site)
        if len(together) >= _FEWEST and any(each.document_id in changed for each in together):
            settled.update((each.document_id, each) for each in _settled(together, cleaned_again))
    return tuple(settled.get(each.document_id, each) for each in documents)


def _site(document: CleanedDocument) -> str:
    return (urlsplit(document.url).hostname if document.url else None) or f"({document.platform})"


def _settled(
    documents: Sequence[CleanedDocument], cleaned_again: Callable[[str], CleanedDocument]
) -> Iterator[CleanedDocument]:
    taken = [Taken.from_(each).keys for each in documents]
    pages = [edges(each) for each in documents]
    boilerplate = site_boilerplate(pages, frozenset(key for had in taken for key in had))
    for each, page, had in zip(documents, pages, taken, strict=True):
        if not had <= boilerplate:
            with suppress(CleaningError):
                yield stripped(cleaned_again(each.document_id), boilerplate)
                continue
        yield stripped(each, boilerplate) if (page.keys - had) & boilerplate else each


def site_boilerplate(pages: Sequence[Edges], in_force: frozenset[str] = frozenset()) -> frozenset[str]:
    """Keys of the paragraphs that recur at the edges of a site's documents. Those `in_force` stay on half as often."""
    least = max(_FEWEST, _SHARE * len(pages), min(len(pages) / 2, _SMALL))
    times = Counter(key for page in pages for key in page.keys)
    if in_force or any(n >= least for n in times.values()):
        versions = {at for at, page in enumerate(pages) if _is_version(page, times, len(pages))}
        times = Counter(key for at, page in enumerate(pages) if at not in versions for key in page.keys)
    return frozenset(key for key, n in times.items() if n >= (least / 2 if key in in_force else least))


def _is_version(page: Edges, times: Mapping[str, int], pages: int) -> bool:
    """Whether most of what the page says a few others say too: versions of one piece are no layout."""
    return 2 * sum(1 < times[key] <= min(pages / 2, 2 * _SMALL) for key in page.keys) > len(page.keys)


def edges(document: CleanedDocument) -> Edges:
    """The keys at a document's edges, with those that were taken."""
    taken = Taken.from_(document)
    head, tail = _zones(_blocks(document.text), taken)
    return Edges(
        frozenset((*taken.head, *(key for key, _ in head if key))),
        frozenset((*taken.tail, *(key for key, _ in tail if key))),
    )


def stripped(document: CleanedDocument, boilerplate: Collection[str]) -> CleanedDocument:
    """The document without boilerplate at its edges; itself if it has none."""
    if not boilerplate:
        return document
    lines = _blocks(document.text)
    taken = Taken.from_(document)
    head, tail = _zones(lines, taken)
    from_head = _rows(head, lines, boilerplate)
    from_tail = _rows(tail, lines, boilerplate)
    dropped = {at for _, at in (*from_head, *from_tail)}
    text = joined(document.text, lines, dropped) if dropped else document.text
    words = len(text.split())
    if not dropped or 2 * words < document.words:
        return document
    taken = Taken((*taken.head, *(key for key, _ in from_head)), (*taken.tail, *(key for key, _ in from_tail)))
    return replace(
        document,
        text=text,
        words=words,
        content_hash=content_hash(text),
        cleaner=taken.record(document.cleaner),
    )


_Zone = list[tuple[str, int]]


def _blocks(text: str) -> Sequence[Line]:
    return tuple(paragraphs(text)) if len(text) <= _LONGEST else ()


def _zones(lines: Sequence[Line], taken: Taken) -> tuple[_Zone, _Zone]:
    """Key and place of the paragraphs at the edges, outermost first; what was taken before counts as if it stood."""
    before = len(taken.head) + len(lines) + len(taken.tail)
    head = min(max(0, min(_HEAD, before // 2) - len(taken.head)), len(lines))
    tail = min(max(0, min(_TAIL, before - before // 2) - len(taken.tail)), len(lines) - head)
    return (
        [(_key("h", lines[at]), at) for at in range(head)],
        [(_key("t", lines[at]), at) for at in range(len(lines) - 1, len(lines) - 1 - tail, -1)],
    )


def _key(edge: str, line: Line) -> str:
    """A short name of what a paragraph says; "" for code, which is never boilerplate."""
    if not line.words or line.kind == "code":
        return ""
    return edge + blake2b(f"{line.kind}\n{line.words}".encode(), digest_size=6).hexdigest()


def _rows(zone: _Zone, lines: Sequence[Line], boilerplate: Collection[str]) -> _Zone:
    """What of a zone is in rows of boilerplate that hold a sentence; headings above what stays, stay."""
    rows: _Zone = []
    for known, row in groupby(zone, key=lambda each: each[0] in boilerplate):
        if known:
            rows += _sound(sorted(row, key=lambda each: each[1]), lines)
    return rows


def _sound(row: _Zone, lines: Sequence[Line]) -> Iterable[tuple[str, int]]:
    while row and lines[row[-1][1]].kind == "heading" and row[-1][1] + 1 < len(lines):
        row = row[:-1]  # what it heads is not boilerplate
    sentences = [at for _, at in row if lines[at].kind != "heading" and len(lines[at].words.split()) >= _SENTENCE]
    return row if sentences else ()
