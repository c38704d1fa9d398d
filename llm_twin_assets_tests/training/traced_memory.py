"""How many bytes a model keeps for its backward pass, counted tensor by tensor while nothing is computed."""

from collections.abc import Mapping
from typing import Any


def kept_by_layers(config: Mapping[str, object], method: str, *, tokens: int, rank: int) -> int:
    """Bytes that stand between forward and backward pass, without weights, their casts and the logits."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        model = _model(config, method, rank)
        ids = torch.randint(0, 100, (1, tokens))
        saved: dict[int, torch.UntypedStorage] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            saved[storage._cdata] = storage
            return tensor

        weights = [weight.untyped_storage()._cdata for weight in model.parameters()]
        shapes = {tuple(weight.shape) for weight in model.parameters() if weight.dim() == 2}
        casts: set[int] = set()

        def keep_all_but_casts(tensor: torch.Tensor) -> torch.Tensor:
            is_cast = tuple(tensor.shape) in shapes or tuple(reversed(tensor.shape)) in shapes
            return _noted(tensor, casts) if is_cast else keep(tensor)

        with (
            torch.autocast("cpu", torch.bfloat16),
            torch.autograd.graph.saved_tensors_hooks(keep_all_but_casts, lambda tensor: tensor),
        ):
            output = model.model(input_ids=ids) if method == "full" else model.base_model.model.model(input_ids=ids)
        del output
        return sum(storage.nbytes() for key, storage in saved.items() if key not in weights and key not in casts)


def _noted(tensor: Any, casts: set[int]) -> Any:
    casts.add(tensor.untyped_storage()._cdata)
    return tensor


def _model(config: Mapping[str, object], method: str, rank: int) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    values = dict(config)
    dtype = torch.float32 if method == "full" else torch.bfloat16
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(str(values.pop("model_type")), **values), dtype=dtype)
    model.config.use_cache = False
    if method == "full":
        return model.train()
    # Fake weights cannot be moved, and need not be.
    moving, torch.nn.Module.to = torch.nn.Module.to, lambda module, *_, **__: module  # type: ignore[method-assign]
    try:
        return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=rank)).train()
    finally:
        torch.nn.Module.to = moving  # type: ignore[method-assign]
