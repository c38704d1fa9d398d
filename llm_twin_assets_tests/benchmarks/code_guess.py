"""Is a text code, and in which language? For sets that do not say; the product is told by its sources."""

import re

_CODE_LINE = re.compile(
    r"[{}();:,\\]\s*$|^\s*(?:return|def|if|for|else|import|from|func|fn|let|const|var|end|#|//|\*)\b"
)
# The first that matches decides; the order puts what is telling before what is common.
_LANGUAGES = (
    (
        "php",
        re.compile(r"<\?php|\$this->|^\s*(?:public |private |protected )?(?:static )?function \w+\(.*\$", re.MULTILINE),
    ),
    ("python", re.compile(r"^\s*(?:async )?def \w+\(.*|^\s*class \w+.*:\s*$", re.MULTILINE)),
    ("go", re.compile(r"^func (?:\([^)]*\) )?\w+\(", re.MULTILINE)),
    ("rust", re.compile(r"^\s*(?:pub )?(?:async )?fn \w+", re.MULTILINE)),
    ("java", re.compile(r"^\s*(?:@\w+\s+)*(?:public|private|protected)\s[\w<>\[\], ]+\(", re.MULTILINE)),
    ("javascript", re.compile(r"\bfunction\b.*\(|=>|^\s*(?:const|let|var) \w+ =", re.MULTILINE)),
    ("ruby", re.compile(r"^\s*def \w+[?!]?(?:\(.*\))?\s*$[\s\S]*^\s*end\s*$", re.MULTILINE)),
    ("cpp", re.compile(r"^\s*#include\b|\bstd::|^\w[\w:<>*& ]*\([^)]*\)\s*\{", re.MULTILINE)),
)


def code_language(text: str) -> str | None:
    """The language of a text most of whose lines are code; None for prose and for what is not known."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or sum(bool(_CODE_LINE.search(line)) for line in lines) < 0.5 * len(lines):
        return None
    return next((name for name, pattern in _LANGUAGES if pattern.search(text)), None)
