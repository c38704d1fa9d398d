"""Identities and digests: the same thing has the same name on every machine."""

import hashlib
import json
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

# Read-only containers, so that a list[str] is one too.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

# Any fixed namespace will do; changing it would give every document a new identity.
_NAMESPACE = uuid.UUID("6f1d3b52-3f0e-5b1e-9f59-7d1f2a1c54e7")


def document_id(author: str, stable_id: str) -> str:
    """Identity of a document: its author and its canonical URL or stable platform id."""
    return str(uuid.uuid5(_NAMESPACE, f"{author}\n{stable_id}"))


def chunk_id(document: str, start: int, end: int, text: str) -> str:
    """Identity of a chunk: its document, its span and its text."""
    return str(uuid.uuid5(_NAMESPACE, f"{document}\n{start}:{end}\n{text}"))


def normalized(text: str) -> str:
    """Text as it is hashed: NFC, `\\n` line ends, no trailing blanks, no outer blank lines."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def content_hash(*parts: str | None) -> str:
    """sha256 over normalized parts; two documents with the same hash say the same."""
    joined = "\x1f".join(normalized(part or "") for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()


def digest(value: Json) -> str:
    """sha256 of a JSON value in canonical form (sorted keys, no blanks; cf. RFC 8785)."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def digest_of_set(items: Iterable[str]) -> str:
    """Digest of a set of strings, whatever order they come in."""
    return digest(sorted(items))
