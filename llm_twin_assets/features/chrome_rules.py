"""How lines of chrome are described: rules, platforms, and the patterns that many of them share.

A line has to be chrome from its first to its last word; a sentence that only holds "subscribe" matches no rule.
*Strong* rules say things no author writes as a paragraph of its own. *Weak* ones ("Email", "9", a date, a name) are
chrome only in one row with a strong one.
"""

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of line.

    `shape` is what the line must be besides: a heading, a list's item, a rule, the first of the page; `target` is
    found in the address of its link.
    `before` names labels of which the next line must bear one. Nothing after a `to_end` is the author's; `proof` is a
    label that must stand somewhere below it, else it is an ordinary line.
    """

    pattern: re.Pattern[str]
    strong: bool = False
    label: str = ""
    shape: Literal["", "heading", "item", "break", "first"] = ""
    target: re.Pattern[str] | None = None
    before: frozenset[str] = frozenset()
    to_end: bool = False
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform is recognised by `evidence`: so many different strong lines of its own must stand on the page."""

    name: str
    rules: tuple[Rule, ...]
    evidence: int = 2


def any_of(*patterns: str) -> re.Pattern[str]:
    """A pattern that reads what one of these reads, upper or lower case."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def strong(*patterns: str, label: str = "") -> tuple[Rule, ...]:
    """A rule for each pattern, so that different ones count as evidence of their own."""
    return tuple(Rule(any_of(pattern), strong=True, label=label) for pattern in patterns)


def weak(*patterns: str, label: str = "", before: tuple[str, ...] = ()) -> Rule:
    """One rule for lines that are chrome in company."""
    return Rule(any_of(*patterns), label=label, before=frozenset(before))


def rest(*patterns: str, heading: bool = True, proof: str = "") -> Rule:
    """A rule for a line that nothing of the author stands below."""
    return Rule(any_of(*patterns), strong=True, shape="heading" if heading else "", to_end=True, proof=proof)


MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
DATE = rf"{MONTH} \d{{1,2}}(?:, \d{{4}})?|\d{{1,2}} {MONTH}(?: \d{{4}})?|\d+ ?(?:h|d|days?|hours?|weeks?) ago|today"
_COUNT = r"[\d.,]+[KM]?(?: (?:likes?|claps?|comments?|restacks?|shares?|responses?|reactions?|views?))?"
NAME = r"(?-i:[^\W\d_a-z][\w.'’-]*(?: (?:de|da|di|van|von|der|la|le|el|al|bin|[^\W\d_a-z][\w.'’-]*)){0,4})"
DOMAIN = r"(?:[\w-]+\.)+[a-z]{2,}"
_SHARE_WORDS = (
    "copy link", "facebook", "e-?mail", "notes?", "other", "more", "share", "twitter", "x", "linkedin", "whatsapp",
    "reddit", "telegram", "pinterest", "pocket", "print", "mastodon", "bluesky", "threads", "hacker news", "save",
    "like", "like this:?", "copy", "loading", "comment", "repost", "send", "bookmark", "tweet", "link", "tumblr",
)  # fmt: skip
BAR = weak(*_SHARE_WORDS, "share:", "share(?: this)?(?: on)?:?", r"share\W*(?:copy link|tweet)", label="bar")
COUNTER = weak(_COUNT, "∙|·|•|—|-+|\\|", label="count")
