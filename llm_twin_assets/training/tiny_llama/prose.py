"""Tells technical English prose from tables, encoded data and markup, and drops repeated paragraphs."""

from __future__ import annotations

import hashlib
import re

MIN_CHARS = 120
MAX_CHARS = 20_000  # longer pages are cut at a paragraph: one changelog must not outweigh a hundred explanations
MIN_REPEAT_CHARS = 40  # shorter paragraphs ("Parameters", "Returns") are structure, not boilerplate

COMMON_WORDS = frozenset(
    [
        *(
            "the",
            "a",
            "an",
            "of",
            "to",
            "in",
            "is",
            "are",
            "be",
            "and",
            "or",
            "for",
            "with",
            "that",
            "this",
            "it",
            "as",
        ),
        *("on", "by", "from", "if", "not", "can", "which", "when", "will", "you"),
    ]
)
_WORD = re.compile(r"[A-Za-z']+")
_LONG_TOKEN = re.compile(r"(?<![\w/.:])[A-Za-z0-9+/=_-]{80,}")  # base64, hashes; the look-behind spares URLs
_MARKUP = re.compile(
    r"\[!\[|<(?:img|a|div|p|h\d|picture|source|table|td|tr|br)\b|^\.\. (?:image|\|)|^:target:", re.MULTILINE
)
_LICENCE_TEXT = re.compile(
    r"Licensed under the Apache|Permission is hereby granted|Redistribution and use in source|SPDX-License"
    r"|All rights reserved|WITHOUT WARRANTIES|^\s*(?:\.\. )?Copyright\b",
    re.IGNORECASE | re.MULTILINE,
)


def clean(text: str) -> str:
    """The text's prose and code paragraphs, without badges, HTML, encoded data and licence headers."""
    kept: list[str] = []
    length = 0
    for paragraph in re.split(r"\n\s*\n", text.expandtabs(4).replace("\r\n", "\n")):
        paragraph = "\n".join(line.rstrip() for line in paragraph.split("\n")).strip("\n")
        if not paragraph.strip() or _MARKUP.search(paragraph) or _LONG_TOKEN.search(paragraph):
            continue
        if _LICENCE_TEXT.search(paragraph):
            continue
        length += len(paragraph) + 2
        if length > MAX_CHARS:
            break
        kept.append(paragraph)
    return "\n\n".join(kept).strip()


def is_prose(text: str) -> bool:
    """Whether the text is mostly English sentences; the thresholds were set by reading what they keep and drop."""
    solid = "".join(text.split())
    words = [word.lower() for word in _WORD.findall(text)]
    lines = [line for line in text.split("\n") if line.strip()]
    if len(text) < MIN_CHARS or len(words) < 20:
        return False
    ascii_share = sum(char.isascii() for char in solid) / len(solid)
    letter_share = sum(char.isalpha() for char in solid) / len(solid)
    common_share = sum(word in COMMON_WORDS for word in words) / len(words)
    doctest_share = sum(line.lstrip().startswith((">>>", "...", "$ ")) for line in lines) / len(lines)
    return ascii_share >= 0.98 and letter_share >= 0.70 and common_share >= 0.15 and doctest_share <= 0.4


def without_repeats(text: str, seen: set[bytes]) -> str:
    """The text less its paragraphs that `seen` already holds; adds the others to `seen`."""
    kept: list[str] = []
    for paragraph in text.split("\n\n"):
        key = digest(paragraph)
        if len(paragraph) >= MIN_REPEAT_CHARS and key in seen:
            continue
        seen.add(key)
        kept.append(paragraph)
    return "\n\n".join(kept).strip()


def digest(text: str) -> bytes:
    """Identity of a text up to white space and case."""
    return hashlib.sha256(" ".join(text.lower().split()).encode()).digest()
