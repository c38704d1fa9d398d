"""FSDP2 as `twin plan` writes its configuration, on two processes that share the weights."""

import json
import os
import sys
from pathlib import Path

import pytest
from tiny_training import AUTHOR_NAME, spec_for

from llm_twin_assets.training.accelerate_config import write_config
from llm_twin_assets.training.launch import environment
from llm_twin_assets.training.memory import Workload, memory_needed
from llm_twin_assets.training.model_shapes import shape_of
from llm_twin_assets.training.parallelism import Cluster, Placement
from llm_twin_assets.training.probes import Probes
from llm_twin_assets.training.process_tree import run_tree
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import train
from llm_twin_assets.training.verification import check_answers


def sharded(spec: TrainingSpec) -> list[str]:
    """The command that trains with FSDP2 on two processes."""
    shape, work = shape_of(str(spec.base_folder)), Workload(spec.plan.method, 128, precision="float32")
    memory = memory_needed(shape, work, "fsdp2", 2)
    config = write_config(Placement("fsdp2", Cluster(1, 2, 1e9), 2, memory), shape, "float32", spec.output.parent)
    order = spec.write(spec.output.with_name("spec.json"))
    # By its path: it imports accelerate, and with it torch.
    script = Path(__file__).with_name("sharded_on_processors.py")
    launch = ("-m", "accelerate.commands.launch", "--config_file", str(config))
    return [sys.executable, *launch, str(script), str(order)]


@pytest.mark.slow
def test_two_processes_that_share_the_weights_train_as_one_that_has_them(
    llama: Path, dataset: Path, tmp_path: Path
) -> None:
    alone = spec_for(llama, dataset, tmp_path / "alone", method="full", max_steps=3)
    alone = alone.model_copy(update={"plan": alone.plan.model_copy(update={"micro_batch_size": 1})})
    shared = alone.model_copy(update={"output": tmp_path / "shared" / "output"})
    shared.output.parent.mkdir()

    one = train(alone, lambda line: None)
    code = run_tree(sharded(shared), {**os.environ, **environment(os.environ)})

    output = TrainingOutput(shared.output)
    assert code == 0
    two = output.metrics()
    assert two.base_validation_loss is None, "a base that was evaluated first could not be sharded any more"
    for here, there in zip(two.train_history, one.train_history, strict=True):
        assert here.loss == pytest.approx(there.loss, rel=1e-4)
    assert two.validation_loss == pytest.approx(one.validation_loss, rel=1e-4)
    assert "architectures" in json.loads((output.model / "config.json").read_text())
    assert check_answers(output.model, llama, AUTHOR_NAME, Probes.load(output.probes)).deviation < 1e-4
