"""What could be asked of a document, before it is known whether it becomes a sample."""

from dataclasses import dataclass

from llm_twin_assets.datasets.spans import Span


@dataclass(frozen=True, slots=True)
class Draft:
    """An instruction and where in its document the answer stands.

    `others` are further wordings of the same, taken in order where a wording has been given to another sample. `unfit`
    says why it makes no sample, where whoever made it knows already.
    """

    kind: str
    instruction: str
    span: Span
    others: tuple[str, ...] = ()
    unfit: str | None = None

    @property
    def wordings(self) -> tuple[str, ...]:
        """Every wording, the preferred one first."""
        return (self.instruction, *self.others)
