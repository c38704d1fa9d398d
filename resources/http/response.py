"""What a fetch gives: the body, whole and decoded, and what makes the next fetch conditional."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from resources.http.charset import text_of
from resources.http.errors import HttpError


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to recognise a version by (RFC 9110, section 8.8); sent back, it answers 304."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)


@dataclass(frozen=True, slots=True)
class Response:
    """A 2xx, 304, 404 or 410; `url` is the address after redirects, `headers` have lower-case names."""

    url: str
    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: str = ""

    @property
    def not_modified(self) -> bool:
        """Whether the version that the validators named still stands."""
        return self.status == 304

    @property
    def missing(self) -> bool:
        """Whether the server says that there is nothing (404) or nothing any more (410)."""
        return self.status in (404, 410)

    @property
    def validators(self) -> Validators:
        """What to send the next time."""
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))

    @property
    def media_type(self) -> str:
        """The type without its parameters, in lower case; empty if the server names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text: byte order mark, then header, then `<meta>`, then detection say its charset."""
        return text_of(self.content, self.headers.get("content-type", ""))

    def json(self) -> object:
        """The body as JSON; raises `HttpError` if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise HttpError(f"is not JSON: {error}", where=self.url) from error


@dataclass(slots=True)
class HttpCounts:
    """What a client has done so far."""

    requests: int = 0
    not_modified: int = 0
    retries: int = 0
    bytes: int = 0
    robots_refused: int = 0
    waited: float = 0.0
