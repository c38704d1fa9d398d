"""How much memory a training needs on each device: weights, gradients, optimizer, activations, and what is passing.

The shares of weights, gradients and optimizer are arithmetic. Those of activations were fitted to what PyTorch 2.13,
transformers 5.23 and peft 0.21 keep of a Llama layer for the backward pass, tensor by tensor, in a training that was
traced without computing it (torch's FakeTensorMode). `test_memory.py` compares the sum with published measurements.
"""

from dataclasses import dataclass, fields
from typing import Literal

from llm_twin_assets.training.model_shapes import ModelShape
from resources.training_settings import Precision, TrainingMethod

Strategy = Literal["single", "ddp", "fsdp2", "zero3", "zero3_offload"]
Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw"]
Attention = Literal["sdpa", "eager"]

GB = 10**9

# NormalFloat in blocks of 64 weights with a constant each; the constants are held in 8 bits, in blocks of 256 with a
# float32 each (Dettmers et al., arXiv:2305.14314, section 3): half a byte, and 0.127 bits a weight on top.
_NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
_BYTES: dict[Precision, int] = {"bfloat16": 2, "float16": 2, "float32": 4}
# AdamW's two moments in float32, or in 8 bits with a float32 for every block of 256 (bitsandbytes).
_MOMENTS: dict[Optimizer, float] = {"adamw": 8.0, "adamw_8bit": 2.0 + 2 * 4 / 256, "paged_adamw": 0.0}
# The logits in half precision and in float32, their log-softmax, and in the backward pass two gradients more: at most
# twelve bytes at a time for each (traced).
_LOGIT = 12
# TRL's fused head never has more than a tile of the logits: tokens, vocabulary, and bytes of both directions.
_TILE_TOKENS, _TILE_WIDTH, _TILE_BYTES = 4096, 32768, 6
# CUDA's context, cuBLAS's workspaces; NCCL's buffers where there are several processes.
_CUDA, _NCCL, _CPU = 0.8 * GB, 0.4 * GB, 0.8 * GB
# Share of what comes and goes that the caching allocator leaves between blocks.
_FRAGMENTATION = 0.08


@dataclass(frozen=True, slots=True)
class Workload:
    """What is trained how. `batch` is what one device takes at once, `context` the tokens of each of its samples.

    `precision` is that of the arithmetic and of frozen weights on a GPU; what is trained is in float32 (methods.py).
    With `preferences` the model is afterwards held to what it was: an adapter has its frozen copy beside it, and a full
    training what it thought of each answer, written down before its first step (preference_fitting.py).
    """

    method: TrainingMethod
    context: int
    batch: int = 1
    rank: int = 16
    dropout: bool = True
    checkpointing: bool = True
    attention: Attention = "sdpa"
    optimizer: Optimizer = "adamw"
    precision: Precision = "bfloat16"
    fused_loss: bool = True
    on_cpu: bool = False
    preferences: bool = False

    @property
    def tokens(self) -> int:
        """Tokens that one device holds at once."""
        return self.batch * self.context

    @property
    def trains_all(self) -> bool:
        """Every weight is trained, not an adapter."""
        return self.method == "full"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on each device at the peak; `host` are bytes of its machine's memory for each process."""

    weights: float
    adapter: float
    gradients: float
    optimizer: float
    activations: float
    logits: float
    buffers: float
    overhead: float
    host: float = 0.0

    @property
    def total(self) -> float:
        """Bytes on a device."""
        return sum(self.parts().values())

    def parts(self) -> dict[str, float]:
        """Bytes by what they are for."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "host"}


def memory_needed(shape: ModelShape, work: Workload, strategy: Strategy = "single", processes: int = 1) -> Memory:
    """What each of so many processes needs for its device; sharded are weights, gradients and optimizer or none."""
    is_sharded = strategy not in ("single", "ddp")
    shards = processes if is_sharded else 1
    trained = shape.parameters if work.trains_all else shape.adapter(work.rank)
    weights = _base_weights(shape, work)
    moments = _MOMENTS[work.optimizer] * trained
    is_offloaded = strategy == "zero3_offload"
    activations, logits = _activations(shape, work), _logits(shape, work)
    layer, head = _passing(shape, work, activations, logits)
    buffers = _buffers(shape, work, trained, strategy)
    context = (_CPU if work.on_cpu else _CUDA) + (_NCCL if processes > 1 and not work.on_cpu else 0.0)
    kept = 0.0 if is_offloaded else 1.0 / shards
    return Memory(
        weights=weights * kept,
        adapter=0.0 if work.trains_all else 4.0 * trained * kept * (2 if work.preferences else 1),
        gradients=4.0 * trained / shards,
        optimizer=moments * kept,
        activations=activations + layer,
        logits=head,
        buffers=buffers,
        overhead=context + _FRAGMENTATION * (activations + layer + head + buffers),
        host=_host(work, trained, weights, moments, shards) if is_offloaded else _paged(work, trained) / shards,
    )


def _base_weights(shape: ModelShape, work: Workload) -> float:
    if work.trains_all:
        return 4.0 * shape.parameters
    frozen = 4 if work.on_cpu else _BYTES[work.precision]
    if work.method != "qlora":
        return float(frozen * shape.parameters)
    # Embeddings, the output's weights, norms and fused experts stay as they are.
    return _NF4 * shape.linear + frozen * (shape.parameters - shape.linear)


def layer_activations(shape: ModelShape, work: Workload) -> float:
    """Bytes that one layer keeps for its backward pass."""
    inputs, outputs = shape.widths
    if work.trains_all:
        each = 33.0 * shape.hidden + outputs + 6.0 * shape.intermediate
    else:
        each = 20 * shape.hidden + 2.25 * outputs + 4.25 * shape.intermediate
        each += 3.2 * inputs if work.dropout else 0.0  # dropout keeps a copy and a mask of every adapter's input
        each += 4 * outputs if work.method == "dora" else 0.0  # results with and without the adapter
    scores = 6 * shape.heads * work.context if work.attention == "eager" else 0
    return float(work.tokens * (each + scores)) * (2 if work.precision == "float32" else 1)


def _activations(shape: ModelShape, work: Workload) -> float:
    if not work.checkpointing:
        return shape.layers * layer_activations(shape, work)
    # What enters each layer: float32 where the embeddings are trained in it.
    width = 4 if work.trains_all or work.precision == "float32" else 2
    return float(width * shape.layers * work.tokens * shape.hidden)


def _logits(shape: ModelShape, work: Workload) -> float:
    whole = float(_LOGIT * work.tokens * shape.vocabulary)
    if not work.fused_loss:
        return whole
    # Without Triton, on a CPU, a tile is folded in three steps instead of in place.
    tile = _TILE_BYTES * min(work.tokens, _TILE_TOKENS) * _TILE_WIDTH
    return float(tile * 3 if work.on_cpu else tile)


def _passing(shape: ModelShape, work: Workload, activations: float, logits: float) -> tuple[float, float]:
    """A layer that is computed again, and the logits: they never meet, so that the larger alone counts."""
    if not work.checkpointing or not activations:
        return 0.0, logits
    layer = layer_activations(shape, work)
    return (layer, 0.0) if layer > logits else (0.0, logits)


def _buffers(shape: ModelShape, work: Workload, trained: int, strategy: Strategy) -> float:
    width = _BYTES[work.precision]
    found = 0.0
    if work.method == "qlora":
        found += width * shape.largest_linear  # one at a time is taken out of its four bits
    if work.method == "dora":
        found += 8.0 * shape.largest_linear  # the norm of a weight and its adapter, in float32
    if work.trains_all and work.precision != "float32":
        found += width * (shape.parameters if strategy in ("single", "ddp") else 2 * shape.layer)  # autocast's copies
    if strategy == "ddp":
        found += 4.0 * trained  # buckets in which gradients are summed up
    if strategy in ("fsdp2", "zero3", "zero3_offload"):
        found += _gathered(shape, work, width)
    return found


def _gathered(shape: ModelShape, work: Workload, width: int) -> float:
    """Two layers, so that the next comes while one computes, and the output's weights; a layer's gradients at last."""
    layer = width * shape.layer
    if work.method == "qlora":
        share = shape.linear / shape.layers
        layer = int(_NF4 * share + width * (shape.layer - share))
    return 2.0 * layer + width * shape.head + (4.0 * shape.layer if work.trains_all else 0.0)


def _host(work: Workload, trained: int, weights: float, moments: float, shards: int) -> float:
    """With everything in the machine's memory: weights for the GPU, and what the optimizer on the CPU works on."""
    master = 4.0 * trained
    copies = weights / 2 if work.trains_all else weights
    return (copies + master + moments + 4.0 * trained) / shards


def _paged(work: Workload, trained: int) -> float:
    """Paged moments make room on the device when it is short; the machine's memory takes them."""
    return 8.0 * trained if work.optimizer == "paged_adamw" else 0.0
