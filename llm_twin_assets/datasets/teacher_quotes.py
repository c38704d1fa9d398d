"""Where in a text the words stand that a teacher points at, and how much around them makes an answer.

Models copy almost exactly: they straighten quotes, join lines, drop emphasis. That much is forgiven in finding the
place; the answer is then what stands there.
"""

from collections.abc import Iterator

from llm_twin_assets.datasets.spans import Span, paragraphs, trimmed
from llm_twin_assets.datasets.words import word_count
from llm_twin_assets.inference.words import sentences

# Fewer words stand in a text by chance.
_LEAST_WORDS = 3
# A paragraph up to this length is the answer as a whole; of a longer one the sentences are.
_PARAGRAPH_WORDS = 120
_MARKS = frozenset("*_`\u00ad\u200b")
_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u201a\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}


def located(quote: str, text: str, within: Span) -> Span | None:
    """The one place where a quote stands within a span; None if it stands nowhere, or may stand in several."""
    if word_count(quote) < _LEAST_WORDS:
        return None
    places = _places(quote.strip(), within.of(text))
    exact = next(places, None)
    if exact is not None:
        return _at(within, exact, exact + len(quote.strip())) if next(places, None) is None else None
    folded, offsets = _folded(within.of(text))
    sought = _folded(quote)[0].strip()
    found = list(_places(sought, folded)) if sought else []
    if len(found) != 1:
        return None
    return _at(within, offsets[found[0]], offsets[found[0] + len(sought) - 1] + 1)


def answer_around(place: Span, text: str, within: Span, least_words: int) -> Span:
    """The paragraphs that hold a place, or of longer ones its sentences, going on until there are enough words."""
    around = _covering(place, paragraphs(text, within))
    if word_count(around.of(text)) <= _PARAGRAPH_WORDS:
        return trimmed(text, around)
    inside = [Span(around.start + each.start, around.start + each.end) for each in sentences(around.of(text))]
    answer = _covering(place, inside)
    for sentence in inside:
        if sentence.start >= answer.end and word_count(answer.of(text)) < least_words:
            answer = Span(answer.start, sentence.end)
    return trimmed(text, answer)


def _covering(place: Span, parts: Iterator[Span] | list[Span]) -> Span:
    held = [part for part in parts if part.start < place.end and place.start < part.end]
    return Span(min(place.start, held[0].start), max(place.end, held[-1].end)) if held else place


def _at(within: Span, start: int, end: int) -> Span:
    return Span(within.start + start, within.start + end)


def _places(sought: str, text: str) -> Iterator[int]:
    place = text.find(sought)
    while place >= 0:
        yield place
        place = text.find(sought, place + 1)


def _folded(text: str) -> tuple[str, list[int]]:
    """A text without what models change in copying, and for each of its characters the place in the original."""
    characters: list[str] = []
    offsets: list[int] = []
    for place, character in enumerate(text):
        if character in _MARKS:
            continue
        if character.isspace():
            if characters and characters[-1] == " ":
                continue
            character = " "
        characters.append(_ALIKE.get(character, character))
        offsets.append(place)
    return "".join(characters), offsets
