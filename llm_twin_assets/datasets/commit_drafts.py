"""What could be asked of a commit: the diff, by what its message says."""

import re
from collections.abc import Iterator
from textwrap import dedent

from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.instructions import wordings
from llm_twin_assets.datasets.spans import Span, trimmed
from llm_twin_assets.domain.document import CleanedDocument

# Lines of the message are indented: the first one that begins so is the diff's.
_DIFF = re.compile(r"^diff --git ", re.MULTILINE)
# What tools add at the end: https://git-scm.com/docs/git-interpret-trailers
_TRAILER = re.compile(
    r"^(?:[a-z][a-z-]{2,30}-(?:by|to|id|url)|fixes|closes|refs?):.*$|^\(cherry picked from .*$",
    re.IGNORECASE | re.MULTILINE,
)
# Written by a tool, or to be squashed into another one.
_MECHANICAL = re.compile(
    r"merge\b|revert\b|(?:fixup|squash|amend)!|(?:bump|release|prepare|publish|tag)\b.*\d|v?\d+(?:\.\d+)+\b|"
    r"(?:chore|build|ci)\((?:deps|release)[\w-]*\)",
    re.IGNORECASE,
)
# What is said of any change whatever: it tells that something was done and not what.
_ANY_CHANGE = """
a add address again all also and another bug bugfix bugs change changed changes chore clean cleaned cleanup code comment
comments commit docs documentation edit error errors feedback file files final fix fixed fixes fixing for format
formatting from further improve improved improvements in initial into issue issues it last lint linter lints little make
minor misc more nit nits now of oops or pass please readme refactor refactoring remove review small some stuff style
temp test tests the things this tidy tiny to try tweak tweaked tweaks typo typos up update updated updates various
version warning warnings wip work working
"""
_SAYS_NOTHING = frozenset(_ANY_CHANGE.split())
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
_FEWEST_WORDS, _FEWEST_TELLING = 3, 2


def commit_drafts(document: CleanedDocument) -> Iterator[Draft]:
    """The diff as it stands, for the message; a message that says nothing asks for nothing."""
    text = document.text
    diff = _DIFF.search(text)
    if diff is None:
        return
    message = _TRAILER.sub("", dedent(text[: diff.start()])).strip()
    first, *others = wordings(
        "commit", "en", document.document_id, repository=document.repository or "", message=message
    )
    unfit = None if _says_what(message) else "commit message that says nothing"
    yield Draft("commit", first, trimmed(text, Span(diff.start(), len(text))), tuple(others), unfit)


def _says_what(message: str) -> bool:
    """Whether somebody who reads no diff could tell what to do."""
    words = [word.lower() for word in _WORD.findall(message)]
    telling = {word for word in words if word not in _SAYS_NOTHING}
    return not _MECHANICAL.match(message) and len(words) >= _FEWEST_WORDS and len(telling) >= _FEWEST_TELLING
