"""The natural language of prose."""

import re

# Below this many letters py3langid guesses: "Hello world" is Dutch to it.
_MIN_LETTERS = 40
_ENOUGH = 4000
FENCED = re.compile(r"(?ms)^[ \t>]*(`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t>]*\1[`~]*[ \t]*$|\Z)")
_NOT_PROSE = re.compile(r"`[^`\n]+`|https?://\S+|[@#]\w+|<[^<>\n]+>")


def detect_language(text: str) -> str | None:
    """ISO 639-1 code of the language, or None where there is too little prose to tell."""
    prose = _NOT_PROSE.sub(" ", FENCED.sub(" ", text))[:_ENOUGH]
    if sum(character.isalpha() for character in prose) < _MIN_LETTERS:
        return None
    import py3langid

    language = str(py3langid.classify(prose)[0])
    # `zxx` is its word for no language at all (ISO 639-2), as in a page of numbers and symbols.
    return None if language == "zxx" else language
