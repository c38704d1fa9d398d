"""The section of `twin.yaml` about who may ask the service how much."""

from pydantic import Field

from resources.section import Section


class Access(Section):
    """What the service grants. The two rates are per API key; a key's own record may name others.

    `deadline_seconds` covers an answer from the request to its last word, a stream too. `threads` answers are worked on
    at once and `queue` more wait; who comes then is told when to come again. `cors_origins` are the pages of other
    sites whose scripts may call; none may by default.
    """

    requests_per_minute: int = Field(default=120, ge=1)
    tokens_per_minute: int = Field(default=60_000, ge=1)
    max_request_kb: int = Field(default=256, ge=1, le=16_384)
    # Below the 120 s that BentoML gives a request until its first byte.
    deadline_seconds: float = Field(default=110, gt=0, le=110)
    threads: int = Field(default=8, ge=1, le=256)
    queue: int = Field(default=32, ge=0, le=10_000)
    cors_origins: tuple[str, ...] = ()
