"""The training loop: a Llama of about six million parameters, AdamW, a fixed number of steps, resumable."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_twin_assets.training.tiny_llama.measure import bits_per_byte
from llm_twin_assets.training.tiny_llama.packing import batch_for_step
from llm_twin_assets.training.tiny_llama.tokenizer import BOS, END, EOS, PAD

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, but for the corpus."""

    steps: int
    seed: int = 17
    context: int = 1024
    batch: int = 4
    hidden: int = 256
    layers: int = 6
    heads: int = 4  # heads of 64: every serving engine's attention kernels know that size
    intermediate: int = 768
    peak_rate: float = 2e-3
    warm_up_steps: int = 60
    decay_share: float = 0.25  # warm-up, stable, then linear decay to zero (WSD)
    weight_decay: float = 0.1
    evaluations: int = 4

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        decay_steps = max(1, round(self.steps * self.decay_share))
        return self.peak_rate * min(1.0, (step + 1) / self.warm_up_steps, (self.steps - step) / decay_steps)


@dataclass(frozen=True)
class Point:
    """One row of the loss curve; the loss is the mean since the row before."""

    step: int
    tokens: int
    train_loss: float
    validation_bits_per_byte: float


def new_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """The untrained model."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    bos, eos, pad, end = (tokenizer.convert_tokens_to_ids(token) for token in (BOS, EOS, PAD, END))
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=bos,
        eos_token_id=end,
        pad_token_id=pad,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(bos_token_id=bos, eos_token_id=[end, eos], pad_token_id=pad)
    return model


def pretrain(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerFast,
    stream: Tensor,
    validation: Sequence[str],
    checkpoint: Path,
    corpus_digest: str,
    resume: bool,
) -> tuple[LlamaForCausalLM, list[Point]]:
    """Trains from the start, or from `checkpoint` when it was written by the same recipe on the same corpus."""
    import torch
    from torch.nn.functional import cross_entropy

    model = new_model(recipe, tokenizer)
    optimizer = torch.optim.AdamW(_parameter_groups(model, recipe), lr=recipe.peak_rate, betas=(0.9, 0.95))
    identity = {"recipe": asdict(recipe), "corpus": corpus_digest}
    curve: list[Point] = []
    first = 0
    if resume and checkpoint.exists():
        first, curve = _load_checkpoint(checkpoint, identity, model, optimizer)
    every = max(1, recipe.steps // recipe.evaluations)
    losses: list[float] = []
    model.train()
    for step in range(first, recipe.steps):
        batch = batch_for_step(stream, step, recipe.batch, recipe.context, recipe.seed)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(input_ids=batch).logits
        loss = cross_entropy(logits[:, :-1].flatten(0, 1).float(), batch[:, 1:].flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate(step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        done = step + 1
        if done % every == 0 or done == recipe.steps:
            bits = bits_per_byte(model, tokenizer, validation, recipe.context)
            tokens = done * recipe.batch * recipe.context
            curve.append(Point(done, tokens, round(sum(losses) / len(losses), 4), round(bits, 4)))
            losses = []
            _log.info("%s", curve[-1])
            _save_checkpoint(checkpoint, identity, done, curve, model, optimizer)
    return model, curve


def _parameter_groups(model: LlamaForCausalLM, recipe: Recipe) -> list[dict[str, Any]]:
    """Weight decay for matrices; none for the norms' gains."""
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    gains = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    return [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": gains, "weight_decay": 0.0}]


def _save_checkpoint(
    path: Path, identity: dict[str, Any], step: int, curve: list[Point], model: LlamaForCausalLM, optimizer: Optimizer
) -> None:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "identity": identity,
        "step": step,
        "curve": [asdict(point) for point in curve],
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)  # a kill while writing leaves the checkpoint before it


def _load_checkpoint(
    path: Path, identity: dict[str, Any], model: LlamaForCausalLM, optimizer: Optimizer
) -> tuple[int, list[Point]]:
    import torch

    state = torch.load(path, weights_only=True)
    if state["identity"] != identity:
        raise ValueError(f"{path} comes from another recipe or another corpus; start without --resume")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"]), [Point(**point) for point in state["curve"]]
