"""A loss that computes the logits of answers alone, for trainings on a processor.

Only a training process imports this module: it draws in torch and TRL.
"""

import inspect
from types import MethodType
from typing import TYPE_CHECKING

import torch
from trl.trainer.utils import FusedCausalLMOutput

from llm_twin_assets.training.encoding import IGNORED

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel
    from transformers.modeling_outputs import CausalLMOutput

# Logits that are held whole: at twelve bytes each in training (memory.py), 200 MB. Of more, TRL makes a tile at a time.
_MOST_LOGITS = 2**24


def score_answers_alone(model: "PreTrainedModel") -> None:
    """Replace the fused head that TRL has given a model: same losses, fewer positions.

    Where there is no Triton, TRL 1.16's head scores every position, prompts and padding too, and scores it again in the
    backward pass (`trl.trainer.utils.add_fused_lm_head`): a quarter of a tiny model's training.
    """
    if "logits_to_keep" not in inspect.signature(type(model).forward).parameters:
        return
    fused = model.forward
    vocabulary = int(model.config.get_text_config().vocab_size)

    def forward(
        _: "PreTrainedModel",
        *inputs: "Tensor",
        fused_lm_head: bool = False,
        labels: "Tensor | None" = None,
        **options: object,
    ) -> object:
        if not fused_lm_head or labels is None:
            return fused(*inputs, fused_lm_head=fused_lm_head, labels=labels, **options)
        targets = labels[:, 1:]
        # Those before a token that is learned, in any sample of the batch.
        positions = (targets != IGNORED).any(dim=0).nonzero().flatten()
        if len(targets) * len(positions) * vocabulary > _MOST_LOGITS:
            return fused(*inputs, fused_lm_head=True, labels=labels, **options)
        return _scored(fused(*inputs, logits_to_keep=positions, **options), targets[:, positions])

    model.forward = MethodType(forward, model)


def _scored(output: "CausalLMOutput", targets: "Tensor") -> FusedCausalLMOutput:
    """What TRL's loss and its metrics read, of the positions that were kept."""
    mask = targets != IGNORED
    shares = output.logits.float().log_softmax(dim=-1)
    labels = targets.clamp(min=0)
    with torch.no_grad():
        entropy = -(shares.exp() * shares).sum(dim=-1)
        is_top1 = shares.argmax(dim=-1) == labels
    return FusedCausalLMOutput(
        log_probs=shares.gather(-1, labels[..., None]).squeeze(-1).masked_fill(~mask, 0),
        entropy=entropy.masked_fill(~mask, 0),
        is_top1=is_top1 & mask,
        label_mask=mask,
        aux_loss=getattr(output, "aux_loss", None),
    )
