"""What of the author's own is public: their address on their own site, their office telephone."""

from collections.abc import Iterable
from dataclasses import dataclass


def _plain(text: str) -> str:
    """Letters and digits alone: `+46 8-12 34` and `+46 81234` are one number."""
    return "".join(each for each in text.casefold() if each.isalnum())


@dataclass(frozen=True, slots=True)
class Allowed:
    """Values that scrubbing leaves in, compared whole; `@domain` stands for every address there."""

    values: frozenset[str] = frozenset()
    domains: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str]) -> "Allowed":
        """From a list as in `twin.yaml`, blank entries left out."""
        stripped = [value.strip().casefold() for value in values if value.strip()]
        return cls(
            frozenset(value for value in stripped if not value.startswith("@")),
            tuple(value for value in stripped if value.startswith("@")),
        )

    def allows(self, kind: str, found: str) -> bool:
        """Whether a found value stays; a secret never does."""
        if kind == "secrets" or not (self.values or self.domains):
            return False
        value = found.strip().casefold()
        if kind == "email":
            return value in self.values or value.endswith(self.domains)
        plain = _plain(value)
        if kind == "address":
            # The pattern may stop before the country or the post code that the author wrote.
            return any(plain in _plain(each) for each in self.values)
        return any(plain == _plain(each) for each in self.values)
