"""A dataset version in the forms that other trainers read: one JSON object a line."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from llm_twin_assets.datasets.version import DatasetVersion, samples_of
from llm_twin_assets.domain.sample import Split
from resources.errors import StorageError
from resources.object_store import ObjectStore

ExportFormat = Literal["messages", "alpaca", "sharegpt"]
_BATCH = 1000


def export(
    objects: ObjectStore, version: DatasetVersion, form: ExportFormat, splits: Sequence[Split], folder: Path
) -> dict[Path, int]:
    """Write `SPLIT.jsonl` for each split; returns the files with their number of samples. A file is whole or not there.

    Raises `StorageError` if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {
            path: _write(path, samples_of(objects, version, split), _FORMS[form])
            for split in splits
            for path in [folder / f"{split.value}.jsonl"]
        }
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", where=str(error.filename or folder)) from error


def _write(path: Path, samples: pa.Table, form: Callable[[str, str], dict[str, Any]]) -> int:
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for instruction, answer in _pairs(samples):
            file.write(json.dumps(form(instruction, answer), ensure_ascii=False) + "\n")
    partial.replace(path)
    return int(samples.num_rows)


def _pairs(samples: pa.Table) -> Iterator[tuple[str, str]]:
    for batch in samples.select(["instruction", "answer"]).to_batches(max_chunksize=_BATCH):
        yield from zip(batch["instruction"].to_pylist(), batch["answer"].to_pylist(), strict=True)


def _messages(instruction: str, answer: str) -> dict[str, Any]:
    """OpenAI's and TRL's."""
    return {"messages": [{"role": "user", "content": instruction}, {"role": "assistant", "content": answer}]}


def _alpaca(instruction: str, answer: str) -> dict[str, Any]:
    """Stanford Alpaca's; axolotl's and LLaMA-Factory's `alpaca`."""
    return {"instruction": instruction, "input": "", "output": answer}


def _sharegpt(instruction: str, answer: str) -> dict[str, Any]:
    """ShareGPT's; FastChat's and LLaMA-Factory's `sharegpt`."""
    return {"conversations": [{"from": "human", "value": instruction}, {"from": "gpt", "value": answer}]}


_FORMS: dict[ExportFormat, Callable[[str, str], dict[str, Any]]] = {
    "messages": _messages,
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
}
