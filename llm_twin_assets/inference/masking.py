"""Personal data and secrets out of an answer, and a count of what was found."""

from llm_twin_assets.domain.scrub import Scrubber


class CountingMask:
    """A scrubber for one answer; `found` is how much of it was masked so far."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self.found = 0

    def __call__(self, text: str) -> str:
        """The text as it may leave."""
        scrubbed = self._scrubber.scrub(text)
        self.found += scrubbed.counts.total()
        return scrubbed.text
