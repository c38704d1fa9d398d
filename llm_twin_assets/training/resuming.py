"""Where a trainer goes on from."""

from typing import TYPE_CHECKING

from llm_twin_assets.training.checkpoints import Checkpoints, marking
from llm_twin_assets.training.progress import Report

if TYPE_CHECKING:
    from transformers import Trainer


def resume_point(trainer: "Trainer", checkpoints: Checkpoints, stage: str, report: Report) -> str | None:
    """The checkpoint to go on from, the same on all processes."""
    from accelerate.utils import broadcast_object_list

    trainer.add_callback(marking())
    trainer.accelerator.wait_for_everyone()
    newest = checkpoints.newest(stage, report) if trainer.is_world_process_zero() else None
    found = [str(newest) if newest else None]
    broadcast_object_list(found)
    return found[0]
