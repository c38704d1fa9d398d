"""Starts the training process or processes, under Dagster or alone, and says in one line why it failed.

One process is plain Python; several, or a configuration of accelerate's, are `accelerate launch`. What does not fit
into this machine is refused before anything starts.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec

import dagster as dg

from llm_twin_assets.training.accelerate_config import write_config
from llm_twin_assets.training.errors import PlanError, TrainingFailedError
from llm_twin_assets.training.hardware import Hardware, this_machine
from llm_twin_assets.training.memory import Workload
from llm_twin_assets.training.model_shapes import ModelShape, shape_of
from llm_twin_assets.training.parallelism import Cluster, Placement, place
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.process_tree import run_tree
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from resources.training_settings import Training

_MODULE = "llm_twin_assets.training.train"
_ACCELERATE = (sys.executable, "-m", "accelerate.commands.launch", "--config_file")


def through_pipes(
    context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, training: Training
) -> Callable[[TrainingSpec], None]:
    """A launcher whose progress appears in Dagster's log, and that a cancelled run takes down with all its processes.

    `PipesSubprocessClient.run` would send SIGINT to the first process alone, and leave the others.
    """

    def launch(spec: TrainingSpec) -> None:
        arrangement = arranged(spec, training, os.environ)
        context.log.info(arrangement.summary)
        with dg.open_pipes_session(context, pipes.context_injector, pipes.message_reader) as session:
            given = {**os.environ, **pipes.env, **session.get_bootstrap_env_vars(), **arrangement.environment}
            code = run_tree(command(arrangement.spec, arrangement.launcher), {**given, **environment(given)})
        if code != 0:
            raise failure(spec, f"code {code}")

    return launch


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a training is started: by what (plain Python if empty), on which order, with which variables beside ours."""

    launcher: Sequence[str]
    spec: TrainingSpec
    summary: str
    environment: Mapping[str, str] = field(default_factory=dict)


def arranged(spec: TrainingSpec, training: Training, given: Mapping[str, str]) -> Arrangement:
    """What starts a training, and its order for so many processes; raises `PlanError` for what cannot fit."""
    wanted = training.parallelism
    if training.launcher:
        return Arrangement(training.launcher, spec, f"launched by {' '.join(training.launcher)}")
    if wanted.config is not None:
        config = wanted.config.expanduser().resolve()
        return Arrangement((*_ACCELERATE, str(config)), spec, f"launched as {config} says")
    machine = this_machine(wanted.processes)
    if wanted.strategy == "single":
        machine = replace(machine, devices=1)
    shape = shape_of(str(spec.base_folder))
    plan = for_processes(spec.plan, machine.processes)
    work = workload(plan, Hardware.here(), machine)
    placement = place(shape, work, machine, wanted.strategy)
    _require_deepspeed(placement)
    said = summary(placement, shape)
    if placement.strategy == "single":
        return Arrangement((), spec, said, {} if machine.on_cpu else _first_gpu(given))
    file = write_config(placement, shape, work.precision, spec.output.parent)
    return Arrangement((*_ACCELERATE, str(file)), spec.model_copy(update={"plan": plan}), said)


def _require_deepspeed(placement: Placement) -> None:
    if placement.strategy in ("zero3", "zero3_offload") and find_spec("deepspeed") is None:
        raise PlanError(
            f"this training fits with {placement.name} alone, which needs the package deepspeed",
            where="twin.yaml: training",
            mend="pip install deepspeed, or see with `twin plan` what fits without: method lora or qlora, say.",
        )


def _first_gpu(given: Mapping[str, str]) -> dict[str, str]:
    # One process that sees several GPUs would spread every batch over them in threads, in transformers' oldest way.
    return {"CUDA_VISIBLE_DEVICES": given.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]}


def workload(plan: TrainingPlan, hardware: Hardware, machine: Cluster) -> Workload:
    """What a plan asks of each device."""
    has_preferences = plan.preference_method != "none"
    return Workload(
        method=plan.method,
        context=plan.max_length,
        # A pair is two sequences, and KTO's term of divergence takes two (preference_fitting.py).
        batch=max(2, plan.micro_batch_size) if has_preferences else plan.micro_batch_size,
        rank=plan.lora_rank or 0,
        dropout=bool(plan.lora_dropout),
        checkpointing=plan.gradient_checkpointing,
        precision=plan.precision or hardware.precision,
        on_cpu=machine.on_cpu,
        preferences=has_preferences,
    )


def for_processes(plan: TrainingPlan, processes: int) -> TrainingPlan:
    """The plan with micro-batches that let so many processes make up a batch together; raises `PlanError`."""
    if plan.batch_size % processes:
        raise PlanError(
            f"a batch of {plan.batch_size} cannot be shared by {processes} processes",
            where="twin.yaml: training.batch_size",
            mend=f"Make it a multiple of {processes}, or set training.parallelism.processes.",
        )
    share = plan.batch_size // processes
    micro = next(size for size in range(min(share, plan.micro_batch_size), 0, -1) if share % size == 0)
    return plan.model_copy(update={"micro_batch_size": micro})


def summary(placement: Placement, shape: ModelShape) -> str:
    """Where a training runs, in a line."""
    each = "" if placement.processes == 1 else f" on each of {placement.processes} processes"
    needed = placement.memory.total / 1e9
    return f"{shape.parameters:,} parameters, {placement.name}: about {needed:.1f} GB{each} of {placement.cluster}"


def command(spec: TrainingSpec, launcher: Sequence[str]) -> list[str]:
    """The command line; `launcher` (`accelerate launch`, `torchrun`) takes `-m MODULE`, as Python does."""
    order = spec.write(spec.output.with_name("spec.json"))
    return [*(launcher or (sys.executable,)), "-m", _MODULE, str(order)]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What the training process needs beside our own environment; what a person has set stays."""
    # A tiny model gains a third from a second thread on an idle machine, and loses four fifths on a busy one, where
    # the threads wait for one another at every matrix.
    defaults = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    return {key: value for key, value in defaults.items() if key not in given}


def failure(spec: TrainingSpec, said: str) -> TrainingFailedError:
    """Why a training process ended without a model, in its own words if it left any."""
    word = TrainingOutput(spec.output).error_file
    if word.is_file():
        return TrainingFailedError(word.read_text(encoding="utf-8"))
    return TrainingFailedError(
        f"the training process ended without a word ({said})",
        mend="Its log is in this run's stderr; code -9 is the system's answer to a lack of memory.",
    )
