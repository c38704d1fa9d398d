"""Names for who asks: the same in every process and every time, and nobody's who does not hold the secret."""

import hashlib
import hmac
import logging
import secrets
import threading

from obstore.exceptions import BaseError

from resources.errors import StorageError
from resources.object_store import ObjectStore

_logger = logging.getLogger(__name__)

# Whoever deletes it makes strangers of all who asked before.
_SECRET = "secrets/pseudonyms"  # noqa: S105 — where it is
# 64 bits: no two of a million users share a name (birthday bound 3e-8).
_DIGITS = 16


class Pseudonyms:
    """HMAC (RFC 2104) under a secret that the first process to need it leaves among the objects, for all others.

    A plain digest would not do: names of keys and users are few, and easily tried.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._secret: bytes | None = None
        self._lock = threading.Lock()

    def of(self, *names: str) -> str | None:
        """The pseudonym of whom the names together tell; None where the secret cannot be had."""
        with self._lock:
            if self._secret is None and (secret := self._found()) is not None:
                self._secret = secret
        if self._secret is None:
            return None
        return hmac.new(self._secret, "\0".join(names).encode(), hashlib.sha256).hexdigest()[:_DIGITS]

    def _found(self) -> bytes | None:
        try:
            if (secret := self._objects.find(_SECRET)) is None:
                self._objects.put_new(_SECRET, secrets.token_hex(32).encode())
                secret = self._objects.get(_SECRET)
        except (OSError, BaseError, StorageError) as error:
            _logger.warning("who asks has no pseudonym: the secret cannot be had (%s)", type(error).__name__)
            return None
        return secret
