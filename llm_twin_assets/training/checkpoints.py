"""Checkpoints that a killed training goes on from: only of the same order, and only those that are whole."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.training.progress import Report
from resources.folder_digest import folder_digest

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState, TrainingArguments

_ORDER = "order.json"


class Checkpoints:
    """A folder with a stage of a training in each subfolder; a digest beside each checkpoint says that it is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, order: str) -> None:
        """Keep what a training of the same order left, and nothing else."""
        said = self.folder / _ORDER
        if not said.is_file() or said.read_text(encoding="utf-8") != json.dumps(order):
            self.discard()
            self.folder.mkdir(parents=True)
            said.write_text(json.dumps(order), encoding="utf-8")

    def discard(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def stage(self, name: str) -> Path:
        """Where a stage of the training puts its checkpoints."""
        return self.folder / name

    def newest(self, stage: str, report: Report) -> Path | None:
        """The newest whole checkpoint of a stage; damaged ones and those that a kill cut short are removed."""
        found = {int(path.name.rpartition("-")[2]): path for path in self.stage(stage).glob("checkpoint-*")}
        for step in sorted(found, reverse=True):
            if is_whole(found[step]):
                report(f"going on from step {step}, where a training of the same order was stopped")
                return found[step]
            report(f"the checkpoint of step {step} is damaged or was not finished: it is left out")
            shutil.rmtree(found[step])
        return None


def mark_whole(folder: Path) -> None:
    """Put a digest beside a folder that will not change any more."""
    _digest_file(folder).write_text(folder_digest(folder), encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether a folder is as it was when it was marked."""
    said = _digest_file(folder)
    return folder.is_dir() and said.is_file() and said.read_text(encoding="utf-8") == folder_digest(folder)


def marking() -> "TrainerCallback":
    """Marks every checkpoint as soon as all processes have written their part of it."""
    from accelerate import PartialState
    from transformers import TrainerCallback
    from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

    class _Marking(TrainerCallback):  # type: ignore[misc]
        def on_save(self, args: "TrainingArguments", state: "TrainerState", *_: object, **_more: object) -> None:
            PartialState().wait_for_everyone()
            if state.is_world_process_zero:
                mark_whole(Path(args.output_dir, f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"))

    return _Marking()


def _digest_file(folder: Path) -> Path:
    # A name that transformers, which counts and removes `checkpoint-*`, does not take for a checkpoint.
    return folder.with_name(f"whole-{folder.name}")
