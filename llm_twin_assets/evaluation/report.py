"""The evaluation report: verdict first, then the figures, a picture, and the documents one by one."""

from collections.abc import Mapping, Sequence

from llm_twin_assets.domain.preview import inline_png, markdown_table, new_figure
from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.statistics import DocumentScore


def report(
    verdict: Verdict,
    candidate: Sequence[DocumentScore],
    reference: Sequence[DocumentScore],
    titles: Mapping[str, str],
) -> str:
    """One Markdown page that carries its own picture."""
    change = verdict.candidate_bits_per_byte / verdict.reference_bits_per_byte - 1
    pairs = sorted(
        zip(candidate, reference, strict=True), key=lambda pair: pair[0].bits_per_byte - pair[1].bits_per_byte
    )
    rows = [
        (
            titles.get(ours.document_id, ours.document_id),
            ours.size,
            *_compared(ours.bits_per_byte, theirs.bits_per_byte),
        )
        for ours, theirs in pairs
    ]
    figures = markdown_table(
        ("", verdict.reference, f"version {verdict.model_version}", "difference", "interval"),
        [
            (
                "bits per byte",
                f"{verdict.reference_bits_per_byte:.3f}",
                f"{verdict.candidate_bits_per_byte:.3f}",
                f"{verdict.difference.mean:+.3f} ({change:+.1%})",
                f"[{verdict.difference.low:+.3f}, {verdict.difference.high:+.3f}]",
            )
        ],
    )
    return f"""# {"Passed" if verdict.passed else "Refused"}: model version {verdict.model_version} of {verdict.author}

{verdict.reason[0].upper()}{verdict.reason[1:]}.

{figures}

{verdict.documents} sealed documents of dataset `{verdict.dataset[:12]}`, which training never read. Lower is better.
The interval is a paired bootstrap over documents.

{_plot(pairs)}

{markdown_table(("document", "bytes", verdict.reference, "candidate", "difference"), rows)}
"""


def _compared(ours: float, theirs: float) -> tuple[str, str, str]:
    return f"{theirs:.3f}", f"{ours:.3f}", f"{ours - theirs:+.3f}"


def _plot(pairs: Sequence[tuple[DocumentScore, DocumentScore]]) -> str:
    figure = new_figure(height=3.2)
    axes = figure.add_subplot()
    ours = [candidate.bits_per_byte for candidate, _ in pairs]
    theirs = [reference.bits_per_byte for _, reference in pairs]
    limits = (min(*ours, *theirs) * 0.95, max(*ours, *theirs) * 1.05)
    axes.plot(limits, limits, color="0.7", linewidth=1)
    axes.scatter(theirs, ours, s=16)
    axes.set(xlabel="reference, bits per byte", ylabel="candidate, bits per byte")
    axes.set_title("each point a document; below the line is better", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return inline_png(figure, "candidate against reference, per document")
