"""Replies of chat models, kept by the hash of what was asked: a question that was answered once costs nothing again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from resources.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model answered. `finished` is False where it was cut off at `max_tokens`."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool = True
    estimated: bool = False
    cached: bool = False


class ReplyCache:
    """Objects `PREFIX/SCOPE/HASH.json`. The scope is the document asked about, so that forgetting it is one prefix.

    The question is not stored: it holds the document.
    """

    def __init__(self, objects: ObjectStore, prefix: str) -> None:
        self._objects = objects
        self._prefix = prefix

    def find(self, scope: str, request: Mapping[str, object]) -> Reply | None:
        """The reply to the same request, or None; what cannot be read counts as never asked."""
        content = self._objects.find(self._path(scope, request))
        if content is None:
            return None
        try:
            stored = json.loads(content)
            reply = Reply(
                str(stored["text"]),
                int(stored["prompt_tokens"]),
                int(stored["completion_tokens"]),
                bool(stored["finished"]),
                bool(stored["estimated"]),
            )
        except (ValueError, LookupError, TypeError):
            return None
        return replace(reply, cached=True)

    def keep(self, scope: str, request: Mapping[str, object], reply: Reply) -> None:
        """Store a reply."""
        kept = {
            "text": reply.text,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "finished": reply.finished,
            "estimated": reply.estimated,
        }
        self._objects.replace(self._path(scope, request), json.dumps(kept, ensure_ascii=False).encode())

    def _path(self, scope: str, request: Mapping[str, object]) -> str:
        canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"{self._prefix}/{scope}/{hashlib.sha256(canonical.encode()).hexdigest()}.json"
