"""What can go wrong with a request; each says the address, what happened and what to do."""

from datetime import datetime

from resources.errors import TwinError


class HttpError(TwinError):
    """A response that could not be had."""


class HttpStatusError(HttpError):
    """The server answered and refused: any status but 2xx, 304, 404 and 410, after the retries that it deserves."""

    def __init__(self, status: int, *, where: str, mend: str | None = None) -> None:
        self.status = status
        super().__init__(f"answered {status}", where=where, mend=mend)


class UnavailableError(HttpError):
    """No answer, or 429 or 5xx, to the last retry; `retry_at` is when the server asked to be tried again."""

    def __init__(self, what: str, *, where: str, retry_at: datetime | None = None, mend: str | None = None) -> None:
        self.retry_at = retry_at
        super().__init__(what, where=where, mend=mend)


class RobotsRefusedError(HttpError):
    """The host's robots.txt asks not to fetch this address."""


class AddressRefusedError(HttpError):
    """The address, or one that it redirects to, is not a public web address."""


class TooLargeError(HttpError):
    """The body is larger than the policy allows, as sent or as decompressed."""


class TooManyRedirectsError(HttpError):
    """More redirects than the policy allows, or a circle of them."""


class BrokenError(Exception):
    """Inside the client: no whole answer came; `final` if the next attempt would bring no other."""

    def __init__(self, what: str, *, final: bool = False) -> None:
        super().__init__(what)
        self.final = final
