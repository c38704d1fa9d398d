"""What each training method makes of a base: which weights are loaded how, and which are trained."""

from typing import TYPE_CHECKING

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.spec import TrainingSpec

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import BitsAndBytesConfig, PreTrainedModel


def frozen_precision(plan: TrainingPlan, hardware: Hardware) -> str:
    """Number format of the loaded weights: float32 for all that is trained, the hardware's for what stays frozen."""
    return "float32" if plan.method == "full" else hardware.frozen_precision


def load_base(spec: TrainingSpec, hardware: Hardware) -> "PreTrainedModel":
    """The base's weights, in 4 bits for `qlora`; raises `TrainingError` if they are missing, damaged or incomplete."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    precision = frozen_precision(spec.plan, hardware)
    try:
        model, found = AutoModelForCausalLM.from_pretrained(
            spec.base_folder,
            dtype=getattr(torch, precision),
            quantization_config=(
                quantization(precision, shared=hardware.processes > 1) if spec.plan.method == "qlora" else None
            ),
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:  # missing, damaged or misshapen
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise _unloadable(spec, str(error).split("\n", maxsplit=1)[0]) from error
    if missing := sorted(found["missing_keys"]):  # transformers would train on with random weights in their place
        raise _unloadable(spec, f"it lacks {len(missing)} weights, {missing[0]} among them")
    return model


def quantization(precision: str, *, shared: bool = False) -> "BitsAndBytesConfig":
    """QLoRA's four bits: NormalFloat, its constants quantized again (Dettmers et al., arXiv:2305.14314, section 3).

    `shared` packs them into numbers of the same format as the other weights, which is what FSDP takes apart (Answer.AI,
    "You can now train a 70b language model at home", 2024).
    """
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, precision),
        bnb_4bit_quant_storage=getattr(torch, precision) if shared else torch.uint8,
    )


def require_quantizer() -> None:
    """Raise `TrainingError` where `qlora` cannot work for want of its package."""
    from importlib.util import find_spec

    if find_spec("bitsandbytes") is None:
        raise TrainingError(
            "method qlora needs the package bitsandbytes",
            where="twin.yaml: training.method",
            mend="Install the extra: pip install 'llm-twin[qlora]', or take method lora.",
            code=ExitCode.METHOD,
        )


def adapter_config(plan: TrainingPlan) -> "LoraConfig | None":
    """An adapter on every linear layer but the output's, which is all that families have in common; None for `full`."""
    if plan.method == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        target_modules="all-linear",
        r=plan.lora_rank or 0,
        lora_alpha=plan.lora_alpha or 0,
        lora_dropout=plan.lora_dropout or 0.0,
        use_dora=plan.method == "dora",
        use_rslora=plan.method == "rslora",
    )


def train_in_float32(model: "PreTrainedModel") -> None:
    """What is trained stays in float32, to add small steps to; TRL casts the adapters of a quantized base to bfloat16.

    bfloat16 has 8 bits of precision: next to a weight of 1, a step of 2e-3 is lost.
    """
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)


def trainable_parameters(model: "PreTrainedModel") -> int:
    """How many numbers the optimizer changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _unloadable(spec: TrainingSpec, why: str) -> TrainingError:
    return TrainingError(
        f"the base '{spec.base}' cannot be loaded: {why}",
        where=str(spec.base_folder),
        mend="Fetch it again, or name another in twin.yaml: training.base.",
        code=ExitCode.BASE,
    )
