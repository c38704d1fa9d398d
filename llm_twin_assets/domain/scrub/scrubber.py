"""The kinds in their order, what the author allows, and placeholders where something was found."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from llm_twin_assets.domain.scrub.allowed import Allowed
from llm_twin_assets.domain.scrub.email_addresses import email_addresses
from llm_twin_assets.domain.scrub.national_ids import national_ids
from llm_twin_assets.domain.scrub.payment import payment_numbers
from llm_twin_assets.domain.scrub.phone_numbers import phone_numbers
from llm_twin_assets.domain.scrub.postal_addresses import postal_addresses
from llm_twin_assets.domain.scrub.secrets import secrets
from llm_twin_assets.domain.scrub.spans import Span, merged

Finder = Callable[[str, bool], Iterable[Span]]

# In this order: a token may hold an address, a card number what a telephone might ring.
_FINDERS: dict[str, Finder] = {
    "secrets": secrets,
    "email": email_addresses,
    "payment": payment_numbers,
    "national_id": national_ids,
    "phone": phone_numbers,
    "address": postal_addresses,
}
PLACEHOLDERS = {
    "secrets": "[secret]",
    "email": "[email]",
    "payment": "[payment]",
    "national_id": "[national id]",
    "phone": "[phone]",
    "address": "[address]",
}
# What is found changes what stands beside it, which may then be found, too; real text settles after one round.
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without what was scrubbed, and how often each kind was found."""

    text: str
    counts: Counter[str]


@dataclass(frozen=True)
class Scrubber:
    """Replaces `kinds` by placeholders, but for what the author made public.

    `allowed` is compared by letters and digits alone, whatever their case; `@maya.dev` allows all of a domain.
    Secrets are never allowed. Raises `ConfigurationError` at the first text if `presidio` is wanted and not there.
    """

    kinds: frozenset[str]
    allowed: Allowed = field(default_factory=Allowed)

    @classmethod
    def of(cls, kinds: Iterable[str], allowed: Iterable[str] = ()) -> "Scrubber":
        """A scrubber for kinds as in `twin.yaml`."""
        return cls(frozenset(kinds), Allowed.of(allowed))

    def scrub(self, text: str, *, code: bool = False) -> Scrubbed:
        """Replace and count; in source code only what cannot be taken for code."""
        counts: Counter[str] = Counter()
        for _ in range(_ROUNDS):
            before = text
            for kind, finder in _FINDERS.items():
                if kind in self.kinds:
                    text = self._replaced(text, kind, finder(text, code), counts)
            if text == before:
                break
        if "presidio" in self.kinds and not code:
            from llm_twin_assets.domain.scrub.presidio import analyzed

            text = analyzed(text, self.allowed, counts)
        return Scrubbed(text, counts)

    def masked(self, text: str) -> str:
        """The text with placeholders, for whom their number does not matter."""
        return self.scrub(text).text

    def _replaced(self, text: str, kind: str, spans: Iterable[Span], counts: Counter[str]) -> str:
        pieces: list[str] = []
        kept = 0
        for start, end in merged(spans):
            if self.allowed.allows(kind, text[start:end]):
                continue
            pieces += (text[kept:start], PLACEHOLDERS[kind])
            kept = end
            counts[kind] += 1
        return "".join((*pieces, text[kept:])) if pieces else text


def scrub(text: str, kinds: Iterable[str], allowed: Iterable[str] = (), *, code: bool = False) -> Scrubbed:
    """Replace what the given kinds find by `[secret]`, `[email]`, `[phone]`, … and count it; see `Scrubber`."""
    return Scrubber.of(kinds, allowed).scrub(text, code=code)
