"""Starts the training process, under Dagster or alone, and says in one line why it failed."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

import dagster as dg
from dagster._core.errors import DagsterPipesExecutionError  # exported nowhere

from llm_twin_assets.training.errors import TrainingFailedError
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec

_MODULE = "llm_twin_assets.training.train"


def through_pipes(
    context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, launcher: Sequence[str]
) -> Callable[[TrainingSpec], None]:
    """A launcher whose progress appears in Dagster's log, and that a cancelled run takes down with it."""

    def launch(spec: TrainingSpec) -> None:
        arguments = command(spec, launcher)
        try:
            pipes.run(context=context, command=arguments, env=dict(environment(os.environ)))
        except DagsterPipesExecutionError as error:
            raise failure(spec, str(error)) from error

    return launch


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
