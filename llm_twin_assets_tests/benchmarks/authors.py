"""What a training on a person's own texts gains, in bits per byte of documents that it never saw.

    python -m llm_twin_assets_tests.benchmarks.authors --corpus FOLDER [--base tiny-llama] [--steps 400]

of a folder of Markdown by one author, with the parameters that such a training has by default. `make bench` does not
run it: it takes minutes.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.instruct import generate
from llm_twin_assets.datasets.split import assign
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets.evaluation.measures.bits_per_byte import score_documents
from llm_twin_assets.training.launch import environment
from llm_twin_assets.training.plan import plan_for
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import train
from llm_twin_assets_tests.benchmarks.dataset import cleaned_documents
from resources.bases import Base, find_base
from resources.settings import Collection, Dataset
from resources.training_settings import Training


def dataset_in(corpus: Path, folder: Path) -> dict[str, str]:
    """Write the dataset of a corpus to a folder; returns the sealed documents' texts by id."""
    documents, settings = cleaned_documents(corpus), Dataset()
    assignment = assign(documents, settings)
    generated = generate(documents, assignment, settings, scrubber=Scrubber.of(Collection().scrub))
    _, files, _ = version.build("author", generated, assignment, settings)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {document.document_id: document.text for document, split in generated.documents if split is Split.TEST}


def order(base: Base, dataset: Path, output: Path, settings: Training) -> TrainingSpec:
    """A training of all weights, as twin.yaml's sample has it."""
    return TrainingSpec(
        base=base.id,
        base_folder=base.folder,
        base_revision=base.revision,
        dataset_folder=dataset,
        author_name="the author",
        plan=plan_for(base.folder, settings),
        output=output,
    )


def bits_per_byte(model: Path, texts: dict[str, str], kept: Path) -> float:
    """Of all the texts together."""
    sizes = {document: len(text.encode()) for document, text in texts.items()}
    scores = score_documents(model, texts, kept)
    return sum(score.value * sizes[score.document_id] for score in scores) / sum(sizes.values())


def main() -> None:
    """Train, and print what was gained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--base", default="tiny-llama")
    parser.add_argument("--steps", type=int, default=-1, help="optimizer steps at most; all epochs if left out")
    arguments = parser.parse_args()
    os.environ.update(environment(os.environ))
    say = Console(highlight=False, soft_wrap=True).print
    base = find_base(arguments.base)
    with tempfile.TemporaryDirectory(prefix="bench-authors-") as scratch:
        folder = Path(scratch)
        texts = dataset_in(arguments.corpus, folder / "dataset")
        spec = order(base, folder / "dataset", folder / "output", Training(method="full", max_steps=arguments.steps))
        started, processor = time.monotonic(), time.process_time()
        metrics = train(spec, say)
        seconds, processor = time.monotonic() - started, time.process_time() - processor
        before = bits_per_byte(base.folder, texts, folder / "before.json")
        after = bits_per_byte(TrainingOutput(spec.output).model, texts, folder / "after.json")
    say(f"{metrics.samples} samples, {metrics.steps} steps, {metrics.epochs:.2g} epochs, {metrics.tokens:,} tokens")
    say(f"{seconds:.0f} s, {processor:.0f} s of processor time")
    say(f"{len(texts)} sealed documents: {before:.3f} → {after:.3f} bits per byte ({after / before - 1:+.1%})")


if __name__ == "__main__":
    sys.exit(main())
