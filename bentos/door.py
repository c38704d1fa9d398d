"""The door: who comes in, from where and how often, decided before a byte of the body is read."""

import ipaddress
import re
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import Scope

from bentos.buckets import Allowance, Allowances
from bentos.errors import ApiError
from resources.access_settings import Access
from resources.api_keys import ApiKey, Endpoint, Keyring

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
# Everything else is the page, its files and the description of the interface: they hold nothing of anybody's.
_GUARDED = ("/v1/", "/metrics")
_OPEN = "/v1/openapi.json"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Without a key it is somebody at this machine, who may do everything."""

    keyring: Keyring = field(repr=False)
    key: ApiKey | None = None
    allowance: Allowance | None = None

    @property
    def authors(self) -> frozenset[str] | None:
        """Whose twins may be asked; None for all."""
        return None if self.key is None or self.key.authors is None else frozenset(self.key.authors)

    def check_still_welcome(self) -> None:
        """Raise `ApiError` if the key was taken back since."""
        if self.key is not None and not self.keyring.holds(self.key):
            raise ApiError(401, "unauthorized", "the key was revoked")

    def check_may(self, endpoint: Endpoint) -> None:
        """Raise `ApiError` if the key is not for this, or has used up its tokens."""
        if self.key is None or self.allowance is None:
            return
        if self.key.endpoints is not None and endpoint not in self.key.endpoints:
            raise ApiError(403, "forbidden", f"the key is not for '{endpoint}'")
        if wait := self.allowance.tokens.take(0):
            raise ApiError(429, "rate_limited", "the key has used up its tokens for now", retry_after=wait)

    def used(self, tokens: int) -> None:
        """Count what an answer cost."""
        if self.allowance is not None:
            self.allowance.tokens.draw(tokens)


class Door:
    """Lets in who may come in."""

    def __init__(self, keyring: Keyring | None = None, access: Access | None = None) -> None:
        self._keyring = keyring or Keyring()
        self.access = access or Access()
        self._allowances = Allowances(self.access)

    @property
    def needs_keys(self) -> bool:
        """Whether who comes in has to show a key."""
        return self._keyring.needed

    @property
    def max_bytes(self) -> int:
        """How large a request may be."""
        return self.access.max_request_kb * 1024

    def admit(self, scope: Scope) -> Caller:
        """Who asks; raises `ApiError` if they may not."""
        headers = Headers(scope=scope)
        needed = self._keyring.needed
        if not needed:
            _check_from_here(scope, headers)
        if not needed or not scope["path"].startswith(_GUARDED) or scope["path"] == _OPEN:
            return Caller(self._keyring)
        return self._with_key(headers)

    def _with_key(self, headers: Headers) -> Caller:
        given = _BEARER.fullmatch(headers.get("authorization", ""))
        key = self._keyring.find(given.group(1)) if given else None
        if key is None:
            raise ApiError(401, "unauthorized", "an API key is needed: Authorization: Bearer twin_…")
        allowance = self._allowances.of(key)
        if wait := allowance.requests.take(1):
            raise ApiError(429, "rate_limited", "too many requests with this key", retry_after=wait)
        return Caller(self._keyring, key, allowance)


def _check_from_here(scope: Scope, headers: Headers) -> None:
    """Without keys, only what was sent to this machine by this machine's own names is answered.

    The name matters because a page elsewhere may point its own name at 127.0.0.1 and then read what it asks for (DNS
    rebinding), and because a proxy beside the service passes on the name that people outside called it by.
    """
    host = (scope.get("server") or ("",))[0]
    try:
        local = ipaddress.ip_address(host)
    except ValueError:  # a UNIX socket, or a test in this process
        return
    name = re.sub(r":\d*$", "", headers.get("host", "")).lower()
    if not local.is_loopback:
        raise ApiError(403, "keys_needed", "this service has no keys and answers at 127.0.0.1 only")
    if name not in _LOOPBACK_NAMES:
        raise ApiError(403, "keys_needed", "this service has no keys and answers to the name localhost only")
