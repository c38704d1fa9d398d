"""Writes what people read about a build: the model card, the loss curve and the list of sources."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from llm_twin_assets.training.tiny_llama.corpus import Corpus, Source
from llm_twin_assets.training.tiny_llama.pretrain import Point, Recipe
from llm_twin_assets.training.tiny_llama.tokenizer import VOCABULARY

TABLE_ROWS = 20
TEMPLATE = Path(__file__).with_name("card_template.md")


@dataclass(frozen=True)
class Build:
    """The facts of one finished build."""

    recipe: Recipe
    corpus: Corpus
    curve: Sequence[Point]
    parameters: int
    stream_tokens: int
    torch_version: str
    transformers_version: str


def write_card(build: Build, folder: Path) -> None:
    """README.md, corpus_sources.csv, loss_curve.csv and loss_curve.png."""
    sources = sorted(build.corpus.sources, key=lambda source: (-source.bytes, source.package))
    _write_csv(folder / "corpus_sources.csv", [field.name for field in fields(Source)], [astuple(s) for s in sources])
    _write_csv(folder / "loss_curve.csv", [field.name for field in fields(Point)], [astuple(p) for p in build.curve])
    _draw_curve(build.curve, folder / "loss_curve.png")
    last = build.curve[-1]
    facts = {
        **asdict(build.recipe),
        "vocabulary": VOCABULARY,
        "parameters": f"{build.parameters:,}",
        "tokens": f"{last.tokens:,}",
        "epochs": f"{last.tokens / build.stream_tokens:.2f}",
        "stream_tokens": f"{build.stream_tokens:,}",
        "final_bits": f"{last.validation_bits_per_byte:.3f}",
        "corpus_bytes": f"{build.corpus.bytes:,}",
        "corpus_digest": build.corpus.digest,
        "train_documents": f"{len(build.corpus.train):,}",
        "validation_documents": f"{len(build.corpus.validation):,}",
        "packages": len(sources),
        "table_rows": TABLE_ROWS,
        "source_table": _source_table(sources[:TABLE_ROWS]),
        "torch_version": build.torch_version,
        "transformers_version": build.transformers_version,
    }
    (folder / "README.md").write_text(TEMPLATE.read_text(encoding="utf-8").format(**facts), encoding="utf-8")


def _write_csv(path: Path, header: list[str], rows: Sequence[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _source_table(sources: Sequence[Source]) -> str:
    rows = [f"| {s.package} | {s.version} | {s.licence} | {s.documents:,} | {s.bytes:,} |" for s in sources]
    return "\n".join(["| package | version | licence | documents | bytes |", "|---|---|---|---:|---:|", *rows])


def _draw_curve(curve: Sequence[Point], path: Path) -> None:
    from matplotlib.figure import Figure  # not pyplot: no global state, no display

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    left = figure.subplots()
    tokens = [point.tokens / 1e6 for point in curve]
    left.plot(tokens, [point.train_loss for point in curve], color="tab:blue", marker="o", markersize=3)
    left.set_xlabel("million tokens")
    left.set_ylabel("training loss (nats per token)", color="tab:blue")
    right = left.twinx()
    right.plot(
        tokens, [point.validation_bits_per_byte for point in curve], color="tab:orange", marker="s", markersize=3
    )
    right.set_ylabel("validation bits per byte", color="tab:orange")
    left.grid(alpha=0.3)
    figure.savefig(path, dpi=100, metadata={"Software": None})
