"""How the client behaves towards others, and what it accepts from them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """Defaults that no host minds. Times in seconds, sizes in bytes.

    `timeout` is for one attempt as a whole, `connect_timeout` for its connection. `max_ratio`: how many times its size
    a body may unpack to. `max_wait` is the longest that the client waits because a server asks it to; a longer wait is
    an `UnavailableError` with `retry_at`. Hosts in `allowed` (`host` or `host:port`) may be private.
    """

    user_agent: str = "llm-twin/0.1 (+https://github.com/llm-twin; personal archive of one's own writing)"
    requests_per_second: float = 1.0
    concurrency_per_host: int = 2
    concurrency: int = 16
    connect_timeout: float = 10.0
    timeout: float = 60.0
    max_bytes: int = 32 * 2**20
    max_redirects: int = 5
    max_ratio: int = 200
    retries: int = 4
    backoff: float = 1.0
    max_wait: float = 300.0
    allowed: tuple[str, ...] = ()
