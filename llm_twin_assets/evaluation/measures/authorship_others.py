"""Prose of others, read from this machine when it is needed: what the packages installed here say of themselves."""

import hashlib
from importlib.metadata import Distribution, distributions

from llm_twin_assets.training.tiny_llama.prose import clean, is_prose

# Written for this project, possibly by the author.
_OWN = frozenset({"llm-twin", "llm_twin"})


def package_prose(most: int) -> dict[str, str]:
    """Name and description (its README, as a rule) of so many packages; which ones depends on their names alone."""
    described: dict[str, Distribution] = {}
    for each in distributions():
        described.setdefault(str(each.metadata["Name"] or "").lower(), each)
    found: dict[str, str] = {}
    for name in sorted(described.keys() - _OWN, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if len(found) == most:
            break
        text = clean(_description(described[name]))
        if is_prose(text):
            found[name] = text
    return found


def _description(package: Distribution) -> str:
    return str(package.metadata.json.get("description") or "")
