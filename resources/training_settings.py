"""The section of `twin.yaml` about training."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from resources.search_settings import Continuous, Search
from resources.section import Section

TrainingMethod = Literal["full", "lora", "qlora", "dora", "rslora"]
Precision = Literal["bfloat16", "float16", "float32"]


class PreferenceTraining(Section):
    """What follows the training on samples, where there is a preference dataset.

    `auto` is DPO where there are pairs and KTO where there are only thumbs. `beta` is how strongly the model is held to
    what it was before.
    """

    method: Literal["none", "auto", "dpo", "kto"] = "none"
    learning_rate: float | None = Field(default=None, gt=0)
    epochs: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.1, gt=0)


class Parallelism(Section):
    """How a training is spread. Unset, it takes every GPU of this machine, or one process on a CPU, as is simplest.

    `config` is a configuration of accelerate's own making, for several machines say: it then decides alone.
    """

    processes: int | None = Field(default=None, ge=1)
    strategy: Literal["single", "ddp", "fsdp2", "zero3", "zero3_offload"] | None = None
    config: Path | None = None


class Training(Section):
    """The base model and how it is trained. Unset parameters are chosen by size class and method.

    `packing` joins short samples into rows of max_length where that changes no loss. `neftune_alpha` is the strength of
    noise on the embeddings (5 is customary). `patience` is how many evaluations in a row may bring no gain. `precision`
    is what the processor does best unless named. `deterministic` trades speed for the same bits on the same card.
    """

    base: str = "tiny-llama"
    revision: str | None = None
    method: TrainingMethod = "lora"
    learning_rate: float | None = Field(default=None, gt=0)
    epochs: float | None = Field(default=None, gt=0)
    batch_size: int | None = Field(default=None, ge=1)
    lora_rank: int | None = Field(default=None, ge=1)
    max_length: int | None = Field(default=None, ge=64)
    max_steps: int = Field(default=-1, ge=-1)
    packing: bool | None = None
    neftune_alpha: float | None = Field(default=None, gt=0)
    patience: int | None = Field(default=None, ge=1)
    gradient_checkpointing: bool | None = None
    precision: Precision | None = None
    deterministic: bool = False
    preference: PreferenceTraining = PreferenceTraining()
    seed: int = 13
    parallelism: Parallelism = Parallelism()
    launcher: tuple[str, ...] = ()
    search: Search = Search()
    continuous: Continuous = Continuous()
