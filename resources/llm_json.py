"""The JSON in a chat model's reply: read strictly, else mended where what was meant is beyond doubt, else refused.

Mended are: prose or a code fence around it, a model's thinking before it, line breaks within strings, commas before a
closing bracket, quotation marks that were not escaped, Python's and JavaScript's words for null, true and false,
typographic quotes as delimiters, and a reply that was cut off: what came whole is kept, what was cut is dropped.
"""

import json
import re
from typing import TypeAlias

JsonReply: TypeAlias = "str | int | float | bool | list[JsonReply] | dict[str, JsonReply] | None"

# Longer than any reply that was asked for; bounds what a mischievous model can make us do.
_MAX_CHARACTERS = 50_000
_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_WORDS = {"None": "null", "True": "true", "False": "false", "undefined": "null", "NaN": "null"}
_WORD = re.compile(r"[A-Za-z_]+")
_AFTER_STRING = re.compile(r"\s*([,:}\]]|\Z)")
_MAX_DEPTH = 20
_OPENING = {"{": "}", "[": "]"}
_CURLY_QUOTES = str.maketrans("“”„", '"""')
_STARTS = 8


def json_of(text: str) -> JsonReply:
    """The JSON object or array in a reply; None if there is none."""
    if len(text) > _MAX_CHARACTERS:
        return None
    text = _THINKING.sub("", text).strip()
    found = _parsed(text)
    if isinstance(found, dict | list):
        return found
    return _mended(text)


def _mended(text: str) -> JsonReply:
    for start in [match.start() for match in re.finditer(r"[{\[]", text)][:_STARTS]:
        for candidate in (text[start:], text[start:].translate(_CURLY_QUOTES)):
            found = _parsed(_Repair(candidate).done())
            # `[1]` or `{}` in the prose before the reply is not the reply.
            if isinstance(found, dict | list) and found and not _is_flat_mark(found):
                return found
    return None


def _is_flat_mark(found: "list[JsonReply] | dict[str, JsonReply]") -> bool:
    return isinstance(found, list) and all(isinstance(each, int | float) for each in found)


def _parsed(text: str) -> JsonReply:
    try:
        # Not strict: a line break within a string is what models write most often that is no JSON.
        found: JsonReply = json.loads(text, strict=False, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return found


class _Repair:
    """One pass over a text that starts with a bracket, up to the bracket that closes it.

    `_whole` is the length of the output at which, with the open brackets closed, everything is whole.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._out: list[str] = []
        self._open: list[str] = []
        self._whole: tuple[int, tuple[str, ...]] = (0, ())

    def done(self) -> str:
        """The mended text."""
        position = 0
        while position < len(self._text):
            position = self._step(position)
            if not self._open:
                return "".join(self._out)
            if len(self._open) > _MAX_DEPTH:
                return ""
        # Cut off: back to the last place where all was whole.
        length, brackets = self._whole
        return "".join(self._out[:length]) + "".join(reversed(brackets))

    def _step(self, position: int) -> int:
        character = self._text[position]
        if character == '"':
            return self._string(position)
        if word := _WORD.match(self._text, position):
            self._out.append(_WORDS.get(word.group(), word.group()))
            return word.end()
        if character in _OPENING:
            self._out.append(character)
            self._open.append(_OPENING[character])
            self._mark()
        elif character in "}]":
            self._close(character)
        elif character == ",":
            self._mark()
            self._out.append(character)
        else:
            self._out.append(character)
        return position + 1

    def _string(self, start: int) -> int:
        text: list[str] = []
        end = start + 1
        while end < len(self._text):
            if self._text[end] == "\\":
                text.append(self._text[end : end + 2])
                end += 2
                continue
            if self._text[end] == '"' and _AFTER_STRING.match(self._text, end + 1):
                self._out.append(f'"{"".join(text)}"')
                return end + 1
            # A quotation mark that nothing of JSON follows is one that was meant, and not escaped.
            text.append('\\"' if self._text[end] == '"' else self._text[end])
            end += 1
        return end

    def _close(self, character: str) -> None:
        while self._out and (self._out[-1].isspace() or self._out[-1] == ","):
            self._out.pop()
        if self._open and self._open[-1] == character:
            self._out.append(character)
            self._open.pop()
            self._mark()
        else:  # a bracket that closes nothing: no guess is safe, so what comes after it does not count
            self._text = ""

    def _mark(self) -> None:
        self._whole = (len(self._out), tuple(self._open))
