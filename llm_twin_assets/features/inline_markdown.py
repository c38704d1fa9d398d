"""Runs of words with marks between them, as Markdown: links, emphasis, code."""

import re
from collections.abc import Callable, Iterable, Mapping

from llm_twin_assets.features.marks import Mark

# Stands for a line break while blanks are collapsed: a noncharacter (Unicode 23.7).
BREAK = "\ufdd2"
_BACKTICKS = re.compile(r"`+")


def formatted(pieces: Iterable[str | Mark]) -> str:
    """Runs and marks as Markdown; a mark whose other end was not chosen is forgotten."""
    out: list[str] = []
    opened: list[tuple[Mark, int]] = []
    for piece in pieces:
        if isinstance(piece, str):
            out.append(piece)
        elif not piece.end:
            opened.append((piece, len(out)))
        else:
            at = next((at for at in reversed(range(len(opened))) if _is_pair(opened[at][0], piece)), None)
            if at is None:
                continue
            begin = opened[at][1]
            del opened[at:]
            around = {mark.kind for mark, _ in opened}
            inner = "".join(out[begin:])
            out[begin:] = [inner if piece.kind in around or "code" in around else _wrapped(piece, inner)]
    return "".join(out)


def _is_pair(opening: Mark, closing: Mark) -> bool:
    return (opening.kind, opening.value) == (closing.kind, closing.value)


def _wrapped(mark: Mark, inner: str) -> str:
    words = inner.strip(f" {BREAK}")
    if not words:
        return inner
    before, after = inner.split(words, 1)
    return before + _WRAP[mark.kind](words, str(mark.value)) + after


def _link(words: str, address: str) -> str:
    words = words.replace(BREAK, " ")
    if words.count("[") != words.count("]"):
        words = words.replace("[", "\\[").replace("]", "\\]")
    return f"[{words}]({address})"


def _code(words: str, _: str) -> str:
    words = words.replace(BREAK, " ")
    ticks = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(words)), default=0))
    pad = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{ticks}{pad}{words}{pad}{ticks}"


_WRAP: Mapping[str, Callable[[str, str], str]] = {
    "link": _link,
    "code": _code,
    "strong": lambda words, _: f"**{words}**",
    "emphasis": lambda words, _: f"*{words}*",
    "place": lambda words, _: words,
}
