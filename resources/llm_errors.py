"""How asking a chat model fails: for this attempt, for this question, or for good."""

from resources.errors import TwinError


class LlmError(TwinError):
    """The chat model could not be reached, refused, or answered with something that is no answer."""


class UnansweredError(LlmError):
    """This one question got no answer; the next may."""


class RefusedError(UnansweredError):
    """The service refused this one question: too long, not allowed, not understood."""


class TransientError(Exception):
    """Inside the client: this attempt failed, the next may not. `wait` is what the service asks for, in seconds.

    `charged`: the service had begun to answer, and may well ask to be paid for it. `named` is what it calls the error
    that ended its answer, where it says so.
    """

    def __init__(self, what: str, *, wait: float | None = None, charged: bool = False, named: str = "") -> None:
        super().__init__(what)
        self.wait = wait
        self.charged = charged
        self.named = named
