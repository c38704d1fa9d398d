"""Says whether an installed distribution's licence metadata is permissive enough to learn from."""

from __future__ import annotations

import re
from email.message import Message

# SPDX identifiers that allow reuse with attribution at most. Anything that is not named here is refused.
PERMISSIVE_SPDX = frozenset(
    [
        *("MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "0BSD", "Apache-2.0", "ISC"),
        *("PSF-2.0", "Python-2.0", "CNRI-Python", "BSL-1.0", "CC0-1.0", "Unlicense", "Zlib"),
    ]
)

# The free-form `License` field and the classifiers, in the spellings seen on PyPI.
PERMISSIVE_WORDS = re.compile(
    r"\b(MIT|BSD|Apache|Python Software Foundation|PSF|ISC|Unlicense|Zlib|0BSD)\b", re.IGNORECASE
)
RESTRICTIVE_WORDS = re.compile(
    r"GPL|General Public|MPL|Mozilla|Elastic|SSPL|Business Source|BUSL|EUPL|Eclipse|CDDL|Proprietary|Commercial"
    r"|All rights reserved|NonCommercial|CC[- ]BY",
    re.IGNORECASE,
)


def permissive_licence(metadata: Message) -> str | None:
    """The distribution's licence in a few words when every statement about it is permissive, else None.

    `License-Expression` (PEP 639) wins, as the standard asks. An `OR` that offers one copyleft choice is refused too:
    a rule that needs no parser is easier to trust, and costs two packages.
    """
    expression = metadata.get("License-Expression")
    if expression:
        return expression if _all_spdx_permissive(expression) else None
    stated = [_first_line(metadata.get("License")), *_licence_classifiers(metadata)]
    statements = [statement for statement in stated if statement]
    if any(RESTRICTIVE_WORDS.search(statement) for statement in statements):
        return None
    if _all_spdx_permissive(statements[0] if statements else ""):
        return statements[0]
    return next((statement for statement in statements if PERMISSIVE_WORDS.search(statement)), None)


def _all_spdx_permissive(expression: str) -> bool:
    identifiers = re.sub(r"\bWITH\s+\S+", "", expression.replace("(", " ").replace(")", " "))
    names = [name for name in identifiers.split() if name not in {"AND", "OR"}]
    return bool(names) and all(name in PERMISSIVE_SPDX for name in names)


def _first_line(licence: str | None) -> str | None:
    """The field's first line if it is a name; some packages put the whole licence text there (scipy, mlflow)."""
    lines = (licence or "").strip().splitlines()
    if not lines or lines[0].strip().upper() == "UNKNOWN" or len(lines[0]) > 60 or lines[0].startswith("Copyright"):
        return None
    return lines[0].strip()


def _licence_classifiers(metadata: Message) -> list[str]:
    classifiers = [value for value in metadata.get_all("Classifier") or [] if value.startswith("License ::")]
    return [value.rsplit("::", 1)[-1].strip() for value in classifiers]
