"""What a post is about, in its own words, without a model."""

import re
from collections import Counter

_HASHTAG = re.compile(r"(?<!\w)#(\w+)")
_WORD = re.compile(r"[^\W\d_][\w'’-]{3,}")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")

# The commonest English words of four letters and more; a topic is none of them.
_COMMON = frozenset(
    [
        "about",
        "above",
        "after",
        "again",
        "also",
        "another",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "cannot",
        "could",
        "does",
        "doing",
        "done",
        "down",
        "during",
        "each",
        "even",
        "every",
        "from",
        "further",
        "have",
        "having",
        "here",
        "into",
        "isn't",
        "it's",
        "itself",
        "just",
        "like",
        "made",
        "make",
        "makes",
        "many",
        "more",
        "most",
        "much",
        "must",
        "need",
        "never",
        "nothing",
        "only",
        "other",
        "over",
        "same",
        "shall",
        "should",
        "since",
        "some",
        "something",
        "still",
        "such",
        "take",
        "than",
        "that",
        "that's",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "things",
        "this",
        "those",
        "through",
        "time",
        "today",
        "under",
        "until",
        "upon",
        "very",
        "want",
        "well",
        "were",
        "what",
        "what's",
        "when",
        "where",
        "which",
        "while",
        "will",
        "with",
        "without",
        "would",
        "year",
        "years",
        "yesterday",
        "your",
        "yours",
    ]
)


def topic_of(text: str) -> str:
    """Up to three words: the post's hashtags if it has any, else its most frequent long words, first seen first."""
    if tags := list(dict.fromkeys(_HASHTAG.findall(text)))[:3]:
        return _listed([_HUMP.sub(" ", tag).lower() for tag in tags])
    words = [word.lower() for word in _WORD.findall(text)]
    counts = Counter(word for word in words if word not in _COMMON)
    frequent = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], words.index(item[0])))[:3]]
    return _listed(frequent) if frequent else "whatever is on your mind"


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
