"""What people are told, the way it goes to them, and how that fails."""

import os
import ssl
from dataclasses import dataclass
from typing import Protocol

from resources.errors import TwinError
from resources.notification_settings import AlarmSeverity


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of a title, a few sentences and some facts; `notice_id` is the same however often it is sent."""

    notice_id: str
    severity: AlarmSeverity
    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def heading(self) -> str:
        """What is read first, on one line."""
        return " ".join(f"[{self.severity}] {self.title}".split())

    @property
    def plain(self) -> str:
        """All of it but the heading."""
        return "\n\n".join((self.text, "\n".join(f"{name}: {value}" for name, value in self.facts)))


class Channel(Protocol):
    """A way to people. It is used from a thread of its own."""

    @property
    def name(self) -> str:
        """What it is called on record; no secret."""
        ...

    def send(self, notice: Notice) -> None:
        """One attempt; raises `NotSentError`."""
        ...


class NotSentError(TwinError):
    """Nobody was told. `final` if the next attempt would fail alike; `wait` (seconds) where the server asks for it.

    Never says an address or a key: it ends up on record.
    """

    def __init__(self, what: str, *, final: bool = False, wait: float | None = None) -> None:
        self.final = final
        self.wait = wait
        super().__init__(what)


def held_by(variable: str) -> str:
    """What an environment variable holds, read when it is needed; raises `NotSentError`, which never shows it."""
    value = os.environ.get(variable, "").strip()
    if not value or not value.isprintable():
        raise NotSentError(f"the variable {variable} {'is not set' if not value else 'is unusable'}", final=True)
    return value


def refused_certificate(error: BaseException) -> str | None:
    """What is wrong with a server's certificate, if that is why a connection failed."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return None
