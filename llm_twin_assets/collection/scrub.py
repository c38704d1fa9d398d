"""Secrets and e-mail addresses out of a text, typed placeholders in; everything else stays as it was, byte for byte."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SECRET = "[secret]"  # noqa: S105 - the placeholder, not a secret
EMAIL = "[email]"


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without what was scrubbed, and how often each kind was found."""

    text: str
    counts: Counter[str]


_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
)
# The forms that their issuers document; each has a prefix of its own, so that ordinary words and hashes stay.
_TOKENS = (
    r"(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}",  # AWS access key ids
    r"gh[pousr]_[A-Za-z0-9]{36,255}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{50,255}",
    r"glpat-[A-Za-z0-9_-]{20,}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"sk-ant-[A-Za-z0-9_-]{20,}",  # Anthropic
    r"sk-(?:proj-|svcacct-|admin-)?(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_]{2}[A-Za-z0-9_-]{30,}",  # OpenAI
    r"[rs]k_live_[A-Za-z0-9]{16,}",  # Stripe
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-AgE[A-Za-z0-9_-]{50,}",
)
_BLOCK = re.compile(_PRIVATE_KEY, re.DOTALL)
_TOKEN = re.compile(r"(?<![A-Za-z0-9_])(?:" + "|".join(_TOKENS) + r")(?![A-Za-z0-9])")
# An AWS secret has no prefix: the name in front of it says what it is.
_AWS_SECRET = re.compile(
    r"(aws_?secret_?(?:access_?)?key[\"']?\s{0,4}[:=]\s{0,4}[\"']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])", re.IGNORECASE
)
# The password alone goes: `postgres://user:[secret]@host/db`. Braces, `$` and `<` are variables, which are code.
_PASSWORD_IN_URL = re.compile(
    r"\b([a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@?#'\"`<>{}$\[\]]{0,100}:)[^\s:/@'\"`<>{}$\[\]]{1,200}(?=@[\w\[.-])"
)
# Two letters are countries; the rest are where people have addresses. `x@layer.weight` is Python, not mail.
_TOP = (
    r"(?:[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|name|dev|app|tech|cloud|online|site|email|blog|academy|agency)"
)
# Not `git@host:path`, `ssh user@host`, `user@host` in a URL, nor an expression that goes on with a call or attribute.
_ADDRESS = re.compile(
    r"(?<![\w.+%@/-])(?<!ssh )(?!git@)[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,6}"
    + _TOP
    + r"(?![\w(\[-])(?!\.\w)(?!:[\w~/.])"
)


def _secrets(text: str) -> tuple[str, int]:
    found = 0
    for pattern, replacement in (
        (_BLOCK, SECRET),
        (_TOKEN, SECRET),
        (_AWS_SECRET, rf"\g<1>{SECRET}"),
        (_PASSWORD_IN_URL, rf"\g<1>{SECRET}"),
    ):
        text, count = pattern.subn(replacement, text)
        found += count
    return text, found


def _emails(text: str) -> tuple[str, int]:
    return _ADDRESS.subn(EMAIL, text)


_SCRUBBERS: dict[str, Callable[[str], tuple[str, int]]] = {"secrets": _secrets, "email": _emails}


def scrub(text: str, kinds: Iterable[str]) -> Scrubbed:
    """Replace what the given kinds (`secrets`, `email`) find by `[secret]` and `[email]`, and count it."""
    counts: Counter[str] = Counter()
    wanted = set(kinds)
    for kind, scrubber in _SCRUBBERS.items():
        if kind in wanted:
            text, counts[kind] = scrubber(text)
    return Scrubbed(text, +counts)
