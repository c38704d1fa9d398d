"""Packing: several short samples in one row without padding, where the architecture keeps them apart."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_twin_assets.training.encoding import EncodedSample
from llm_twin_assets.training.plan import TrainingPlan

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

# In standard deviations of the logits. Masked positions weigh nothing at all, so a neighbour's words change no bit of
# a sample's logits; but another sum order does, by 1e-6 in float32 and 2^-8 in half precision.
_LEAK_TOLERANCE = 1e-5
_SHIFT_TOLERANCE = {"float32": 1e-3, "bfloat16": 0.1, "float16": 0.05}
_PROBE_LENGTH = 24


def pack(lengths: Sequence[int], capacity: int, most: int) -> list[list[int]]:
    """Indices of samples by row: best fit, longest first (arXiv:2404.10830), at most `most` samples in a row.

    A length above `capacity` has a row to itself.
    """
    rows: list[list[int]] = []
    open_rows: list[tuple[int, int]] = []  # room left and number of every row that still takes samples, in order
    for index in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        length = lengths[index]
        position = bisect_left(open_rows, (length, -1))
        if position < len(open_rows):
            room, row = open_rows.pop(position)
            rows[row].append(index)
        else:
            room, row = capacity, len(rows)
            rows.append([index])
        if room > length and len(rows[row]) < most:
            insort(open_rows, (room - length, row))
    return rows


def packed(samples: Sequence[EncodedSample], capacity: int, most: int) -> list[dict[str, list[int]]]:
    """Rows of samples, as TRL's padding-free collator reads them."""
    return [
        {
            "input_ids": [token for index in row for token in samples[index].input_ids],
            "labels": [label for index in row for label in samples[index].labels],
            "seq_lengths": [len(samples[index].input_ids) for index in row],
        }
        for row in pack([len(sample.input_ids) for sample in samples], capacity, most)
    ]


@dataclass(frozen=True, slots=True)
class Rows:
    """How samples are laid out: `train` for the trainer, `per_step` of them (on all devices) to an optimizer step."""

    train: list[dict[str, list[int]]]
    is_packed: bool
    per_device: int
    per_step: int

    @classmethod
    def laid_out(cls, samples: Sequence[EncodedSample], plan: TrainingPlan, *, packing: bool) -> "Rows":
        """Packed or one by one; either way an optimizer step learns from about `plan.batch_size` samples."""
        if not packing:
            rows = [{"input_ids": sample.input_ids, "labels": sample.labels} for sample in samples]
            return cls(rows, False, plan.micro_batch_size, plan.batch_size)
        rows = packed(samples, plan.max_length, plan.batch_size)
        return cls(rows, True, 1, max(1, round(plan.batch_size * len(rows) / len(samples))))


def why_not_packed(model: "PreTrainedModel", precision: str) -> str | None:
    """Why samples cannot share a row under this architecture, by trying; None if they can.

    Nothing but position ids separates them, and not every attention minds those: GPT-OSS's does not (DESIGN.md §7).
    """
    import torch

    vocabulary = int(model.config.get_text_config().vocab_size)
    draw = torch.Generator().manual_seed(0)  # the training's own generator is left as it is
    first, other, second = (
        torch.randint(vocabulary, (_PROBE_LENGTH,), generator=draw).to(model.device) for _ in range(3)
    )
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            alone = _logits(model, [second])
            beside, beside_other = _logits(model, [first, second]), _logits(model, [other, second])
    finally:
        model.train(was_training)
    scale = alone.std()
    if float((beside - beside_other).abs().max() / scale) > _LEAK_TOLERANCE:
        return "samples in one row see one another under this architecture"
    if float((beside - alone).abs().max() / scale) > _SHIFT_TOLERANCE[precision]:
        return "a sample's loss depends on its place in the row under this architecture"
    return None


def _logits(model: "PreTrainedModel", documents: "Sequence[Tensor]") -> "Tensor":
    """Logits of the last document of a row."""
    import torch

    positions = torch.cat([torch.arange(len(document), device=model.device) for document in documents])
    output = model(input_ids=torch.cat(list(documents))[None], position_ids=positions[None], use_cache=False)
    logits: Tensor = output.logits[0, -len(documents[-1]) :].float()
    return logits
