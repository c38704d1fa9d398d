"""What the report shows, in HTML and in Markdown alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_twin_assets.domain.release import Comparison, Verdict
from llm_twin_assets.evaluation.report.changes import Row
from llm_twin_assets.evaluation.report.plots import Point
from llm_twin_assets.evaluation.report.samples import SideBySide

PARTS = {
    "superiority": "one of these better",
    "non_inferior": "not worse",
    "hard_limit": "within the limit",
    "report": "for information",
}
HEADER = ("measure", "the gate asks", "documents", "reference", "candidate", "difference", "interval", "")


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that one evaluation has to tell."""

    verdict: Verdict
    confidence: float
    documents: tuple[Point, ...] = ()
    samples: tuple[SideBySide, ...] = ()
    data: tuple[Row, ...] = ()
    parameters: tuple[Row, ...] = ()
    cost: tuple[Row, ...] = ()

    @property
    def title(self) -> str:
        """The verdict, in a line."""
        said = "Passed" if self.verdict.passed else "Refused"
        return f"{said}: model version {self.verdict.model_version} of {self.verdict.author}"

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return f"{self.verdict.reason[0].upper()}{self.verdict.reason[1:]}."

    @property
    def method(self) -> str:
        """How it was measured."""
        return (
            f"{self.verdict.documents} sealed documents of dataset {self.verdict.dataset[:12]}, which neither training "
            f"nor parameter search has read. Intervals: {self.confidence:.0%}, paired bootstrap over documents. "
            "Where one of several measures may show an improvement, each takes its share of the error, so its deciding "
            "interval is wider than the one shown."
        )

    @property
    def changes_header(self) -> tuple[str, ...]:
        """Of the tables of changes and cost."""
        return ("", self.verdict.reference, "candidate")

    @property
    def since(self) -> str:
        """What the changes are counted from."""
        return f"What changed since {self.verdict.reference}"

    @property
    def documents_header(self) -> tuple[str, ...]:
        """Of the table of documents."""
        return ("document, bits per byte", self.verdict.reference, "candidate", "difference")

    def document_rows(self) -> list[tuple[str, ...]]:
        """A row per document, the greatest gain first."""
        ranked = sorted(self.documents, key=lambda each: each.candidate - each.reference)
        return [
            (each.title, f"{each.reference:.3f}", f"{each.candidate:.3f}", signed(each.candidate - each.reference))
            for each in ranked
        ]


def comparison_rows(comparisons: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """A row per measure under `HEADER`, those that decide first."""
    order = list(PARTS)
    ranked = sorted(comparisons, key=lambda each: order.index(each.kind))
    return [
        (
            f"{each.label} ({'more' if each.better == 'higher' else 'less'} is better)",
            _asked(each),
            str(each.documents),
            number(each.reference, each.unit),
            number(each.candidate, each.unit),
            signed(each.difference.mean) if each.difference else "",
            f"[{signed(each.difference.low)}, {signed(each.difference.high)}]" if each.difference else "",
            {True: "✓", False: "✗", None: ""}[each.holds],
        )
        for each in ranked
    ]


def number(value: float | None, unit: str = "") -> str:
    """A value for a table."""
    if value is None:
        return "–"
    plain = f"{value:.0f}" if unit and value == int(value) else f"{value:.3f}"
    return f"{plain} {unit}".strip()


def signed(value: float) -> str:
    """A difference for a table."""
    return f"{value:+.3f}"


def _asked(comparison: Comparison) -> str:
    part, threshold = PARTS[comparison.kind], comparison.threshold
    if threshold is None or (comparison.kind == "superiority" and threshold == 0):
        return part
    if comparison.kind == "superiority":
        return f"{part} by {threshold:g}"
    return f"{part} by {-threshold:g}" if comparison.kind == "non_inferior" else f"{part} of {threshold:g}"
