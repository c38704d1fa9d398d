"""One polite, guarded HTTP client for everything that is collected."""

from resources.http.client import HttpClient
from resources.http.errors import (
    AddressRefusedError,
    HttpError,
    HttpStatusError,
    RobotsRefusedError,
    TooLargeError,
    TooManyRedirectsError,
    UnavailableError,
)
from resources.http.policy import HttpPolicy
from resources.http.response import HttpCounts, Response, Validators

__all__ = [
    "AddressRefusedError",
    "HttpClient",
    "HttpCounts",
    "HttpError",
    "HttpPolicy",
    "HttpStatusError",
    "Response",
    "RobotsRefusedError",
    "TooLargeError",
    "TooManyRedirectsError",
    "UnavailableError",
    "Validators",
]
