"""The files that start a placement: accelerate's configuration, and DeepSpeed's where it is DeepSpeed that spreads."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from llm_twin_assets.training.model_shapes import ModelShape
from llm_twin_assets.training.parallelism import Placement
from resources.training_settings import Precision

_MIXED: Mapping[Precision, str] = {"bfloat16": "bf16", "float16": "fp16", "float32": "no"}
_CONFIG, _DEEPSPEED = "accelerate.yaml", "deepspeed.json"


def write_config(placement: Placement, shape: ModelShape, precision: Precision, folder: Path) -> Path:
    """Write what `accelerate launch --config_file` reads; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    deepspeed = folder / _DEEPSPEED
    config = accelerate_config(placement, shape, precision, deepspeed)
    if placement.strategy in ("zero3", "zero3_offload"):
        offload = placement.strategy == "zero3_offload"
        deepspeed.write_text(
            json.dumps(deepspeed_config(precision, offload=offload), indent=2) + "\n", encoding="utf-8"
        )
    file = folder / _CONFIG
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return file


def accelerate_config(
    placement: Placement, shape: ModelShape, precision: Precision, deepspeed: Path
) -> dict[str, object]:
    """The content of accelerate's configuration; with several machines, fill in rank and address on each."""
    cluster = placement.cluster
    config: dict[str, object] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": _kind(placement),
        "num_processes": placement.processes,
        "num_machines": cluster.nodes,
        "machine_rank": 0,
        "mixed_precision": _MIXED[precision],
        "rdzv_backend": "static",
        "same_network": True,
        "main_training_function": "main",
        # Zero finds a free port, so that two trainings on one machine do not meet.
        "main_process_port": 0 if cluster.nodes == 1 else 29500,
        # Not `use_cpu` on a CPU either: accelerate then starts one process alone, unless there is MPI. The training
        # itself asks for the CPU and meets the others over gloo.
        "use_cpu": False,
        "debug": False,
    }
    if cluster.nodes > 1:
        config["main_process_ip"] = "127.0.0.1"
    if placement.strategy == "fsdp2":
        config["fsdp_config"] = _fsdp(shape)
    if placement.strategy in ("zero3", "zero3_offload"):
        # What the JSON file holds must not be said here, too; the precision is one of these things.
        del config["mixed_precision"]
        several = {"deepspeed_multinode_launcher": "standard"} if cluster.nodes > 1 else {}
        config["deepspeed_config"] = {"deepspeed_config_file": str(deepspeed), "zero3_init_flag": True, **several}
    return config


def _kind(placement: Placement) -> str:
    return {"single": "NO", "ddp": "MULTI_GPU", "fsdp2": "FSDP"}.get(placement.strategy, "DEEPSPEED")


def _fsdp(shape: ModelShape) -> dict[str, object]:
    return {
        "fsdp_version": 2,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_transformer_layer_cls_to_wrap": shape.layer_class,
        "fsdp_reshard_after_forward": True,
        "fsdp_offload_params": False,
        "fsdp_cpu_ram_efficient_loading": True,
        # One file at the end, that is loaded without FSDP.
        "fsdp_state_dict_type": "FULL_STATE_DICT",
        # transformers' own checkpointing does it: FSDP's on top would compute every layer three times.
        "fsdp_activation_checkpointing": False,
    }


def deepspeed_config(precision: Precision, *, offload: bool) -> dict[str, object]:
    """ZeRO-3; "auto" is what transformers' trainer fills in from its own arguments."""
    zero: dict[str, object] = {
        "stage": 3,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "reduce_bucket_size": "auto",
        "stage3_prefetch_bucket_size": "auto",
        "stage3_param_persistence_threshold": "auto",
        "stage3_gather_16bit_weights_on_model_save": True,
    }
    if offload:
        place = {"device": "cpu", "pin_memory": True}
        zero |= {"offload_optimizer": place, "offload_param": place}
    return {
        "zero_optimization": zero,
        "bf16": {"enabled": precision == "bfloat16"},
        "fp16": {"enabled": precision == "float16"},
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "zero_allow_untested_optimizer": True,
    }
