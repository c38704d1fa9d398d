"""What several processes need beside transformers' own care."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel, Trainer

# How configurations of mixtures call the number of their experts.
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


def uses_every_weight(model: "PreTrainedModel") -> bool:
    """Whether each batch passes all that is trained, so that DDP need not look for what has no gradient at every step.

    Not so where experts are chosen, nor of towers for images or sound, which text passes by.
    """
    text = model.config.get_text_config()
    return text is model.config and not any(getattr(text, name, None) for name in _EXPERTS)


def is_sharded(trainer: "Trainer") -> bool:
    """Whether no process has the whole model, so that all of them have to ask it together."""
    return bool(trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled)


def evaluate_base(trainer: "Trainer") -> dict[str, float]:
    """Evaluate before training, so that the training that follows is still one of all processes together.

    Empty where the model is sharded: transformers would shard it for the evaluation alone, and could then not train it.
    """
    if is_sharded(trainer):
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
