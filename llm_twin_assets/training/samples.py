"""What a training process reads of a dataset version: the train and validation splits, never the sealed one."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llm_twin_assets.training.errors import ExitCode, TrainingError

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Samples:
    """Instruction and answer of every sample; validation may be empty, train is not."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]


def read_samples(folder: Path) -> Samples:
    """Read `train.parquet` and `validation.parquet`; raises `TrainingError` if there is nothing to train on."""
    samples = Samples(_pairs(folder / "train.parquet"), _pairs(folder / "validation.parquet"))
    if not samples.train:
        raise TrainingError(
            "there is no sample to train on",
            where=str(folder / "train.parquet"),
            mend="Add documents, or lower dataset.min_answer_words in twin.yaml.",
            code=ExitCode.DATASET,
        )
    return samples


def _pairs(file: Path) -> tuple[Pair, ...]:
    try:
        table = pq.read_table(file, columns=["instruction", "answer"])
    except FileNotFoundError:
        raise TrainingError("the dataset has no such file", where=str(file), code=ExitCode.DATASET) from None
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise TrainingError(f"is not a samples file: {error}", where=str(file), code=ExitCode.DATASET) from error
    if missing := {"instruction", "answer"} - set(table.column_names):
        raise TrainingError(f"lacks the columns {sorted(missing)}", where=str(file), code=ExitCode.DATASET)
    return tuple(zip(table["instruction"].to_pylist(), table["answer"].to_pylist(), strict=True))
