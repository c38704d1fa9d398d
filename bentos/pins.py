"""What a release was made with, held against what is here."""

from llm_twin_assets.domain.release import Release
from resources.errors import TwinError


class ReleaseRefusedError(TwinError):
    """A release that this service must not serve: template, embedder or model are not those it was made with."""


def check_pin(place: str, what: str, pinned: str, ours: str) -> None:
    """Raise `ReleaseRefusedError` unless what is here is what the release pinned."""
    if pinned != ours:
        raise ReleaseRefusedError(
            f"its {what} is not the one found here ({pinned[:12]}… instead of {ours[:12]}…)",
            where=place,
            mend="Run the version that made it, or train, evaluate and release again.",
        )


def where(record: Release) -> str:
    """How errors name a release."""
    return f"release {record.release_id} of {record.author}"
