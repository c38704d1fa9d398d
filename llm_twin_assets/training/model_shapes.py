"""What decides how much memory a model needs: its weights by kind, counted on the meta device, without loading any."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_twin_assets.training.errors import PlanError
from llm_twin_assets.training.model_shapes_published import PUBLISHED, Config, published, scaled
from resources.bases import shipped_base

if TYPE_CHECKING:
    from torch import nn

_COUNT = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[mbt])", re.IGNORECASE)
_UNITS = {"m": 1e6, "b": 1e9, "t": 1e12}


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Counts of weights, and the widths of a decoder layer.

    `linear` are the weights of the layers' linear maps: what 4 bits hold and adapters are put on; `experts` those of
    fused experts, which bitsandbytes and adapters leave alone. `adapter_width` is the sum of inputs and outputs of all
    linear maps: a LoRA of rank r has r times so many weights. `widths` are of one layer, for a token: what enters
    linear maps, what leaves them.
    """

    name: str
    parameters: int
    linear: int
    experts: int
    head: int
    adapter_width: int
    largest_linear: int
    layer: int
    layers: int
    layer_class: str
    hidden: int
    intermediate: int
    heads: int
    widths: tuple[int, int]
    vocabulary: int
    context: int | None

    def adapter(self, rank: int) -> int:
        """Weights of a LoRA of that rank on every linear map of the layers."""
        return rank * self.adapter_width


def shape_of(name: str) -> ModelShape:
    """The shape of a base by folder, shipped name or hub id, or of a size such as `30B`; raises `PlanError`."""
    if size := _COUNT.fullmatch(name.strip()):
        return counted(f"Llama of {name.strip()}", scaled(float(size["number"]) * _UNITS[size["unit"].lower()]))
    return counted(name, _config_of(name))


def counted(name: str, config: Config) -> ModelShape:
    """Build the model without its weights, and count; raises `PlanError` for what transformers does not know."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        values = dict(config)
        full = AutoConfig.for_model(str(values.pop("model_type")), **values)
        text = full.get_text_config()
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(text)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        said = str(error).split("\n", maxsplit=1)[0]
        raise PlanError(f"its config.json describes no language model: {said}", where=name) from error
    return _measured(name, model, text)


def _measured(name: str, model: Any, config: Any) -> ModelShape:  # noqa: ANN401 -- transformers' types are dynamic
    head = model.get_output_embeddings()
    layers = _decoder_layers(model)
    maps = [sizes for layer in layers for sizes in _linear_maps(layer)]
    first = list(_linear_maps(layers[0]))
    return ModelShape(
        name=name,
        parameters=_weights(model),
        linear=sum(inputs * outputs for inputs, outputs in maps),
        experts=sum(weight.numel() for layer in layers for weight in layer.parameters() if weight.dim() >= 3),
        head=head.weight.numel(),
        adapter_width=sum(inputs + outputs for inputs, outputs in maps),
        largest_linear=max(inputs * outputs for inputs, outputs in maps),
        layer=max(_weights(layer) for layer in layers),
        layers=len(layers),
        layer_class=type(layers[0]).__name__,
        hidden=config.hidden_size,
        intermediate=_intermediate(config),
        heads=config.num_attention_heads,
        widths=(sum(inputs for inputs, _ in first), sum(outputs for _, outputs in first)),
        vocabulary=head.weight.shape[0],
        context=getattr(config, "max_position_embeddings", None),
    )


def _decoder_layers(model: "nn.Module") -> "list[nn.Module]":
    from torch import nn

    stacks: list[Any] = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    largest: Any = max(stacks, key=_weights)
    return list(largest)


def _weights(module: "nn.Module") -> int:
    return sum(weight.numel() for weight in module.parameters())


def _linear_maps(layer: "nn.Module") -> Iterator[tuple[int, int]]:
    """Inputs and outputs of every linear map; GPT-2 keeps its own in a class of transposed ones."""
    for module in layer.modules():
        weight = getattr(module, "weight", None)
        if type(module).__name__ in ("Linear", "Conv1D") and weight is not None:
            outputs, inputs = weight.shape if type(module).__name__ == "Linear" else weight.shape[::-1]
            yield inputs, outputs


def _intermediate(config: Any) -> int:  # noqa: ANN401
    """Width of the feed-forward part that a token passes: of all its experts together where it has some."""
    width = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * config.hidden_size
    experts = getattr(config, "num_experts_per_tok", None) or 1
    return int(width) * int(experts)


def _config_of(name: str) -> Config:
    file = _config_file(name)
    if file is not None:
        try:
            config: Mapping[str, object] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise PlanError(f"is not JSON: {error}", where=str(file)) from error
        return config
    if (known := published(name)) is not None:
        return known
    names = ", ".join(key.split("/")[-1] for key in PUBLISHED)
    raise PlanError(
        f"the shape of '{name}' is not known here: it is no folder, not in the hub's cache and not in the table",
        mend=f"Fetch its config.json, give a size (--base 30B), or name one of: {names}.",
    )


def _config_file(name: str) -> Path | None:
    folder = shipped_base(name) or Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder / "config.json"
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return None
    return Path(cached) if isinstance(cached, str) else None
