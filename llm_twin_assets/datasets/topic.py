"""What a post is about, in its own words, without a model."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from llm_twin_assets.datasets.common_words import COMMON_WORDS
from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.instructions import wordings
from llm_twin_assets.datasets.spans import Span, trimmed
from llm_twin_assets.domain.document import CleanedDocument

_HASHTAG = re.compile(r"(?<!\w)#(\w+)")
_ADDRESS = re.compile(r"https?://\S+|(?<!\w)\w{1,64}@\w\S*|@\w+")
_WORD = re.compile(r"[^\W\d_][\w'’-]{3,}")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MOST = 3
_AND = {"en": "and", "de": "und", "fr": "et", "es": "y"}
_WHATEVER = {
    "en": "whatever is on your mind",
    "de": "was dich gerade beschäftigt",
    "fr": "ce qui t'occupe en ce moment",
    "es": "lo que tengas en mente",
}


def post_drafts(document: CleanedDocument) -> Iterator[Draft]:
    """A post is asked for by its topic; where another post has the same one, by what else it speaks of."""
    text, language = document.text, document.language or "en"
    ways = [
        wording
        for topic in topics(document, language)
        for wording in wordings("topic_post", language, document.document_id, topic=topic)
    ]
    yield Draft("topic_post", ways[0], trimmed(text, Span(0, len(text))), tuple(ways[1:]))


def topics(document: CleanedDocument, language: str = "en") -> list[str]:
    """Its tags if it has any, then its most frequent long words, then the two together; each a list of up to three."""
    text = _ADDRESS.sub(" ", document.text)
    written = dict.fromkeys(_HUMP.sub(" ", tag).lower() for tag in _HASHTAG.findall(text))
    tags = list(written) or list(document.tags)
    joined = {tag.replace(" ", "") for tag in tags}
    words = [word for word in _frequent(_HASHTAG.sub(" ", text)) if word not in joined]
    said = (tags[:_MOST], words[:_MOST], [*tags[:1], *words[:2]], [*tags[:1], *words[2:4]], words[3 : 3 + _MOST])
    found = list(dict.fromkeys(_listed(each, language) for each in said if each))
    return found or [_WHATEVER.get(language, _WHATEVER["en"])]


def _frequent(text: str) -> list[str]:
    """Long words by frequency, first seen first."""
    words = [word.lower() for word in _WORD.findall(text)]
    counts = Counter(word for word in words if word not in COMMON_WORDS)
    first = {word: place for place, word in reversed(list(enumerate(words)))}
    return sorted(counts, key=lambda word: (-counts[word], first[word]))


def _listed(words: Sequence[str], language: str) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {_AND.get(language, _AND['en'])} {words[-1]}"
