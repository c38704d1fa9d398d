"""Tokens as text while they are being written: whole characters only, and nothing from a stop string on."""

from collections.abc import Callable, Sequence


class Detokenizer:
    """Turns tokens into text as they come; a character of several tokens comes with its last one.

    A token's text may depend on the one before it (a blank, a part of a character), so each is decoded together with
    those that came just before, never all from the start: that would cost the square of the length.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._before: list[int] = []
        self._pending: list[int] = []

    def add(self, tokens: Sequence[int]) -> str:
        """What these tokens add to the text."""
        self._pending += tokens
        text = self._following()
        if text.endswith("\N{REPLACEMENT CHARACTER}"):
            return ""
        self._before, self._pending = self._pending, []
        return text

    def end(self) -> str:
        """What is left, though it be half a character."""
        return self._following() if self._pending else ""

    def _following(self) -> str:
        known = self._decode(self._before) if self._before else ""
        return self._decode([*self._before, *self._pending])[len(known) :]


class StopStrings:
    """Lets text pass up to the first stop string; what may be the beginning of one is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.reached = False

    def add(self, text: str) -> str:
        """What may be given away now."""
        if self.reached:
            return ""
        text = self._held + text
        ends = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.reached = True
            return text[: min(ends)]
        held = max((_begun(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def end(self) -> str:
        """What was held back for nothing."""
        return "" if self.reached else self._held


def _begun(text: str, stop: str) -> int:
    """How many characters at the text's end may be a stop string's beginning."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)
