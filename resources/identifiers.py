"""The words that an identifier is made of: `readConfigFile` is found by "read config file"."""

import re

_WORD = re.compile(r"[^\W_]+")
# A capital after a small letter or digit; the last of several capitals before a word: parse|HTTP|Response, not PDF|s.
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
# Longer ones are encoded data.
_LONGEST = 64


def with_parts(text: str) -> str:
    """The text with every identifier's words behind it; what underscores, dots and dashes join is words already.

    Two words stay one if the first begins with a capital or is a letter alone: most are names (GitHub, DataFrame,
    iPhone), and their halves mean something else.
    """
    return _WORD.sub(_followed, text)


def _followed(word: re.Match[str]) -> str:
    if word[0].islower() or len(word[0]) > _LONGEST:
        return word[0]
    parts = _HUMP.split(word[0])
    is_name = len(parts) == 2 and (parts[0][0].isupper() or len(parts[0]) == 1)
    return word[0] if len(parts) == 1 or is_name else " ".join((word[0], *parts))
