import json
from pathlib import Path
from typing import Any

import pytest
from shapes import shape

from llm_twin_assets.training.accelerate_config import write_config
from llm_twin_assets.training.memory import Workload
from llm_twin_assets.training.parallelism import Cluster, place

WORK = Workload("qlora", context=512)


def loaded(strategy: str, folder: Path, nodes: int = 1) -> Any:
    from accelerate.commands.config.config_args import load_config_from_file

    cluster = Cluster.parse("8x80GB", nodes)
    placement = place(shape("7B"), WORK, cluster, strategy)  # type: ignore[arg-type]
    return load_config_from_file(str(write_config(placement, shape("7B"), "bfloat16", folder)))


@pytest.mark.parametrize(
    ("strategy", "kind", "processes"),
    [("single", "NO", 1), ("ddp", "MULTI_GPU", 8), ("fsdp2", "FSDP", 8), ("zero3", "DEEPSPEED", 8)],
)
def test_accelerate_reads_every_configuration(strategy: str, kind: str, processes: int, tmp_path: Path) -> None:
    config = loaded(strategy, tmp_path)

    assert config.distributed_type.value == kind
    assert config.num_processes == processes
    assert config.main_process_port == 0


def test_every_key_of_fsdp_is_one_that_accelerate_takes(tmp_path: Path) -> None:
    from accelerate.commands.launch import launch_command_parser

    config = loaded("fsdp2", tmp_path).fsdp_config
    known = {action.dest for action in launch_command_parser()._actions}

    assert set(config) <= known
    assert config["fsdp_version"] == 2
    assert config["fsdp_transformer_layer_cls_to_wrap"] == "LlamaDecoderLayer"


def test_several_machines_are_told_where_to_meet(tmp_path: Path) -> None:
    config = loaded("fsdp2", tmp_path, nodes=2)

    assert (config.num_machines, config.num_processes) == (2, 16)
    assert config.main_process_ip
    assert config.main_process_port


def test_deepspeed_is_told_the_stage_and_leaves_the_rest_to_the_trainer(tmp_path: Path) -> None:
    config = loaded("zero3_offload", tmp_path)
    file = json.loads(Path(config.deepspeed_config["deepspeed_config_file"]).read_text())

    assert file["zero_optimization"]["stage"] == 3
    assert file["zero_optimization"]["offload_optimizer"]["device"] == "cpu"
    assert file["train_micro_batch_size_per_gpu"] == "auto"
    assert config.mixed_precision is None
