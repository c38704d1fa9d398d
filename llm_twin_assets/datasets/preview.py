"""What a person sees of a dataset version in the Dagster UI."""

from collections import Counter
from collections.abc import Sequence

from llm_twin_assets.domain.preview import inline_png, markdown_table, new_figure
from llm_twin_assets.domain.sample import Sample, Split


def samples_preview(samples: Sequence[Sample], per_kind: int = 3) -> str:
    """A few samples of each kind as a Markdown table."""
    rows = []
    seen: Counter[str] = Counter()
    for sample in samples:
        seen[sample.kind] += 1
        if seen[sample.kind] <= per_kind:
            rows.append((sample.kind, sample.split.value, sample.instruction, sample.answer))
    return markdown_table(("kind", "split", "instruction", "answer"), sorted(rows))


def counts_plot(samples: Sequence[Sample]) -> str:
    """Samples by kind and split, as a stacked bar chart."""
    kinds = sorted({sample.kind for sample in samples})
    figure = new_figure()
    axes = figure.add_subplot()
    left = [0] * len(kinds)
    for split in Split:
        counts = [sum(sample.kind == kind and sample.split is split for sample in samples) for kind in kinds]
        axes.barh(kinds, counts, left=left, label=split.value)
        left = [before + count for before, count in zip(left, counts, strict=True)]
    axes.set_xlabel("samples")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return inline_png(figure, "samples by kind and split")
