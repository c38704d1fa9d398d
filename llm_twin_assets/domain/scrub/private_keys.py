"""Private keys as files hold them: PEM, OpenSSH, PGP, PuTTY; whole, cut off, or on one line with `\\n` between."""

import re
from collections.abc import Iterator

from llm_twin_assets.domain.scrub.spans import Span

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
# An RSA key of 16,384 bits takes 13 kB.
_LONGEST = 20_000
# What is left of a key that was cut off: base64 and its headers, line by line.
_LINE = r"(?:(?:\r?\n|\\n|<br ?/?>){1,2}[ \t>]{0,8}(?:[A-Za-z-]{1,20}: [^\n]{1,200}|[A-Za-z0-9+/=]{16,200}))"
_BODY = re.compile(_LINE + r"{1,400}")
_PUTTY = re.compile(r"Private-Lines: ?\d{1,3}(?P<found>(?:\r?\n[A-Za-z0-9+/=]{8,80}){1,200})")
_CONTENT = re.compile(r"[A-Za-z0-9+/]{3}")


def private_keys(text: str) -> Iterator[Span]:
    """Where private keys are, their first and last lines included."""
    if "PRIVATE KEY" in text:
        yield from _blocks(text)
    if "Private-Lines:" in text:
        for match in _PUTTY.finditer(text):
            yield match.span("found")


def _blocks(text: str) -> Iterator[Span]:
    position = 0
    while begin := _BEGIN.search(text, position):
        end = _END.search(text, begin.end(), begin.end() + _LONGEST)
        again = _BEGIN.search(text, begin.end(), end.start() if end else begin.end() + _LONGEST)
        if end and not again:
            position = end.end()
            found = _CONTENT.search(text, begin.end(), end.start())
        else:
            body = _BODY.match(text, begin.end())
            position = body.end() if body else begin.end()
            found = body and re.search(r"[A-Za-z0-9+/]{16}", body.group())
        if found:
            yield begin.start(), position
