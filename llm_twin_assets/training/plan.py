"""What a training run does with every parameter, and where each value comes from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Record
from resources.bases import parameter_count
from resources.training_settings import Precision, Training, TrainingMethod

Method: TypeAlias = TrainingMethod
PreferenceMethod = Literal["none", "auto", "dpo", "kto"]
SizeClass = Literal["tiny", "small", "medium", "large"]
_Value = TypeVar("_Value", int, float, bool)

# Upper bounds in parameters. Below 50M a model is trained on a laptop's CPU; above 8B one GPU is too small for `full`.
_SIZES: tuple[tuple[SizeClass, int], ...] = (("tiny", 50_000_000), ("small", 1_000_000_000), ("medium", 8_000_000_000))
_SAID: Mapping[SizeClass, str] = {"tiny": "<50M", "small": "50M-1B", "medium": "1B-8B", "large": ">8B"}

# `tiny` was measured on the shipped base: LoRA on six million parameters wants a rate some twenty times what a 7B model
# bears. The others are the customary values of the LoRA, QLoRA and TRL documentation.
_ADAPTER_RATE: Mapping[SizeClass, float] = {"tiny": 5e-3, "small": 5e-4, "medium": 2e-4, "large": 1e-4}
_FULL_RATE: Mapping[SizeClass, float] = {"tiny": 1e-3, "small": 5e-5, "medium": 1e-5, "large": 5e-6}
# A preference step is taken from where training ended, and a large one undoes it (TRL's own default is 1e-6).
_PREFERENCE_RATE_SHARE = 0.05
# Adam makes full steps of gradients near zero, but not of those below this number. The sample author's sealed documents
# came to 15.2% fewer bits per byte with 1e-5, and to 15.0% with torch's own 1e-8.
_FULL_EPSILON: Mapping[SizeClass, float] = {"tiny": 1e-5, "small": 1e-8, "medium": 1e-8, "large": 1e-8}
_ADAPTER_EPOCHS: Mapping[SizeClass, float] = {"tiny": 3.0, "small": 3.0, "medium": 3.0, "large": 2.0}
# A third epoch in full took the sample author's sealed documents from 15.0% fewer bits per byte to 15.1%.
_FULL_EPOCHS: Mapping[SizeClass, float] = {**_ADAPTER_EPOCHS, "tiny": 2.0}
# Few samples, few steps: on 140 samples, batches of 2 took a tiny base a quarter further than batches of 8.
_BATCH_SIZE: Mapping[SizeClass, int] = {"tiny": 2, "small": 16, "medium": 16, "large": 16}
# On a CPU, single samples were 1.3 times as fast as two at once, and these 1.6 times as fast as eight: no padding, and
# an attention without a mask.
_MICRO_BATCH_SIZE: Mapping[SizeClass, int] = {"tiny": 1, "small": 4, "medium": 2, "large": 1}
_LORA_RANK: Mapping[SizeClass, int] = {"tiny": 32, "small": 16, "medium": 16, "large": 16}
_MAX_LENGTH = 1024
# rsLoRA divides by the root of the rank, so its alpha stays while the rank grows (Kalajdzievski, arXiv:2312.03732).
_RSLORA_ALPHA = 16
# How often a training is evaluated and saved; a long one that is killed loses a tenth of itself at most.
_CHECKPOINTS: Mapping[SizeClass, int] = {"tiny": 3, "small": 10, "medium": 10, "large": 10}
_PATIENCE: Mapping[SizeClass, int] = {"tiny": 2, "small": 3, "medium": 3, "large": 3}


class TrainingPlan(Record):
    """Every parameter of a run. `origins` says of each where its value comes from; it is not part of the digest."""

    method: Method
    size_class: SizeClass
    learning_rate: float
    epochs: float
    max_steps: int
    batch_size: int
    micro_batch_size: int
    max_length: int
    warmup_share: float
    weight_decay: float
    lora_rank: int | None
    lora_alpha: int | None
    lora_dropout: float | None
    gradient_checkpointing: bool
    seed: int
    origins: dict[str, str]
    # What came later has a default, so that plans stored before can still be read.
    packing: bool = False
    neftune_alpha: float | None = None
    checkpoints: int = 1
    patience: int | None = None
    precision: Precision | None = None
    deterministic: bool = False
    preference_method: PreferenceMethod = "none"
    preference_learning_rate: float | None = None
    preference_epochs: float | None = None
    preference_beta: float | None = None
    adam_epsilon: float = 1e-8

    @property
    def digest(self) -> str:
        """sha256 of the values: the same parameters have the same digest, wherever they come from."""
        return digest(self.model_dump(exclude={"origins"}))

    @property
    def accumulation_steps(self) -> int:
        """How many micro-batches make one optimizer step, on one device."""
        return self.batch_size // self.micro_batch_size


def size_class(parameters: int) -> SizeClass:
    """The size class of a base with that many parameters."""
    for name, bound in _SIZES:
        if parameters < bound:
            return name
    return "large"


def context_length(folder: Path) -> int | None:
    """How many tokens a base reads at most, by its config.json; None if that does not say."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config", config)
    for key in ("max_position_embeddings", "n_positions", "n_ctx"):
        if isinstance(length := text.get(key), int) and length > 0:
            return length
    return None


def plan_for(folder: Path, training: Training) -> TrainingPlan:
    """The plan for a base folder under the settings of `twin.yaml`."""
    return plan(training, parameters=parameter_count(folder), context=context_length(folder))


def plan(training: Training, *, parameters: int, context: int | None) -> TrainingPlan:
    """Defaults by size class and method, overridden by what `twin.yaml` sets."""
    size = size_class(parameters)
    chosen = _Values(f"default for {training.method} on {_SAID[size]}", training)
    is_adapter = training.method != "full"
    rank = chosen.value("lora_rank", _LORA_RANK[size]) if is_adapter else None
    learning_rate = chosen.value("learning_rate", (_ADAPTER_RATE if is_adapter else _FULL_RATE)[size])
    batch_size = chosen.value("batch_size", _BATCH_SIZE[size])
    return TrainingPlan(
        method=training.method,
        size_class=size,
        learning_rate=learning_rate,
        epochs=chosen.value("epochs", (_ADAPTER_EPOCHS if is_adapter else _FULL_EPOCHS)[size]),
        max_steps=training.max_steps,
        batch_size=batch_size,
        micro_batch_size=chosen.derived("micro_batch_size", _divisor(batch_size, _MICRO_BATCH_SIZE[size])),
        max_length=_max_length(chosen, context),
        warmup_share=chosen.derived("warmup_share", 0.05),
        weight_decay=chosen.derived("weight_decay", 0.0 if is_adapter else 0.01),
        adam_epsilon=chosen.derived("adam_epsilon", 1e-8 if is_adapter else _FULL_EPSILON[size]),
        lora_rank=rank,
        lora_alpha=chosen.derived("lora_alpha", _alpha(training.method, rank)) if rank else None,
        lora_dropout=chosen.derived("lora_dropout", 0.0 if size == "tiny" else 0.05) if rank else None,
        gradient_checkpointing=chosen.value("gradient_checkpointing", size in ("medium", "large")),
        seed=training.seed,
        # A tiny base is trained in batches of a few short samples: one row would hold more of them than a batch.
        packing=chosen.value("packing", size != "tiny"),
        checkpoints=chosen.derived("checkpoints", _CHECKPOINTS[size]),
        patience=chosen.value("patience", _PATIENCE[size]),
        **_as_said(training),
        **_preference(training, learning_rate),
        origins={
            "method": _origin(training, "method"),
            "size_class": f"{parameters:,} parameters",
            **{key: _origin(training, key) for key in ("max_steps", "seed", *_as_said(training))},
            **dict.fromkeys(_preference(training, learning_rate), _origin(training, "preference")),
            **chosen.origins,
        },
    )


def _alpha(method: Method, rank: int) -> int:
    return _RSLORA_ALPHA if method == "rslora" else 2 * rank


def _as_said(training: Training) -> dict[str, Any]:
    """What is off, or chosen by the hardware, unless `twin.yaml` says otherwise."""
    return {key: getattr(training, key) for key in ("neftune_alpha", "precision", "deterministic")}


def _preference(training: Training, learning_rate: float) -> dict[str, Any]:
    chosen = training.preference
    is_on = chosen.method != "none"
    return {
        "preference_method": chosen.method,
        "preference_learning_rate": (chosen.learning_rate or learning_rate * _PREFERENCE_RATE_SHARE) if is_on else None,
        "preference_epochs": chosen.epochs if is_on else None,
        "preference_beta": chosen.beta if is_on else None,
    }


def _divisor(batch_size: int, most: int) -> int:
    """The largest micro-batch that fits a whole number of times into a batch."""
    return next(size for size in range(min(batch_size, most), 0, -1) if batch_size % size == 0)


def _max_length(chosen: "_Values", context: int | None) -> int:
    length = chosen.value("max_length", _MAX_LENGTH)
    if context is None or length <= context:
        return length
    return chosen.derived("max_length", context, "context of the base")


def _origin(training: Training, key: str) -> str:
    return "twin.yaml" if key in training.model_fields_set else "default"


class _Values:
    """Picks values and notes where each came from."""

    def __init__(self, default: str, training: Training) -> None:
        self.origins: dict[str, str] = {}
        self._default = default
        self._training = training

    def value(self, key: str, default: _Value) -> _Value:
        """What `twin.yaml` says, else the default."""
        named: _Value | None = getattr(self._training, key)
        return self.derived(key, default) if named is None else self.derived(key, named, "twin.yaml")

    def derived(self, key: str, value: _Value, origin: str | None = None) -> _Value:
        """A value that `twin.yaml` has no key for."""
        self.origins[key] = origin or self._default
        return value
