"""What several processes need beside transformers' own care."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import Trainer


def evaluate_base(trainer: "Trainer") -> dict[str, float]:
    """Evaluate before training, so that the training that follows is still one of all processes together.

    Empty where the model is sharded: transformers would shard it for the evaluation alone, and could then not train it.
    """
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        return {}
    own = vars(trainer.model).get("forward")
    metrics: dict[str, float] = trainer.evaluate()
    if trainer.accelerator.num_processes > 1:
        _unprepare(trainer.model, own)
    return metrics


def _unprepare(model: Any, forward: object) -> None:  # noqa: ANN401
    """Undo what accelerate does to a model before it is evaluated.

    accelerate 1.15 takes a model that was prepared for evaluation as prepared for training, and leaves out DDP: every
    process would then silently train a model of its own, and the first one's would be kept.
    """
    state = vars(model)
    for added in ("_is_accelerate_prepared", "_original_forward", "forward"):
        state.pop(added, None)
    if forward is not None:
        state["forward"] = forward
