"""Materialize assets in this process, with one line of progress for each."""

import time
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg
from dagster import DagsterEventType
from rich.status import Status

from llm_twin_assets.commands.console import PROGRESS
from llm_twin_assets.definitions import definitions, embedder
from llm_twin_assets.instance import end_killed_runs, going_on, open_instance
from llm_twin_assets.partitions import AUTHORS
from resources.bases import find_base
from resources.errors import TwinError
from resources.settings import Environment, Settings

# The console gets our lines instead; Dagster's own stay in the event log, where the UI shows them.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# Of an asset's metadata, what fits on a line.
_COUNTS = ("new", "changed", "unchanged", "removed", "quarantined", "chunks", "samples", "sealed_documents")
_OURS = ("resources.", "llm_twin_assets.")
_WORDS = ("snapshot", "parameters_digest", "model_version", "change", "release")


class RunFailedError(TwinError):
    """A run ended before its end; what it wrote until then stands."""


def run_author(author: str, environment: Environment) -> None:
    """Materialize everything up to the evaluation report; raises `RunFailedError` with the first cause."""
    settings = Settings.load(environment.config)
    settings.author(author)
    # Asked for first: a run must not find out after minutes that a model is not there.
    find_base(settings.training.base, settings.training.revision)
    _ = embedder(settings).digest
    execute("build_candidate", environment, author=author)


def execute(
    job: str, environment: Environment, *, author: str | None = None, config: Mapping[str, object] | None = None
) -> None:
    """Run a job of the code location to its end, saying what happens; raises `RunFailedError`."""
    instance = open_instance(environment)
    end_killed_runs(instance, environment)
    if author:
        instance.add_dynamic_partitions(AUTHORS.name or "", [author])
    run_id = str(uuid.uuid4())
    progress = _Progress()
    # Notices to those who write Dagster code, not to those who run it.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    # Not public API, but the one way to hear of events as they come without a second process.
    instance.add_event_listener(run_id, progress.hear)
    with going_on(run_id, environment), progress.status:
        result = (
            definitions()
            .resolve_job_def(job)
            .execute_in_process(
                run_config={**_QUIET, **(config or {})},
                instance=instance,
                partition_key=author,
                run_id=run_id,
                raise_on_error=False,
            )
        )
    if not result.success:
        raise RunFailedError(progress.failure or "the run failed", mend="`make up` shows the whole log of the run.")


@dataclass
class _Progress:
    """Turns Dagster's events into lines."""

    status: Status = field(default_factory=lambda: PROGRESS.status("starting"))
    failure: str | None = None
    _started: dict[str, float] = field(default_factory=dict)

    def hear(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            self.status.update(f"[dim]{entry.step_key}: {entry.user_message[:100]}")
        elif event.event_type is DagsterEventType.STEP_START:
            self._started[event.step_key or ""] = time.monotonic()
            self.status.update(f"[bold]{_spoken(event.step_key)}")
        elif event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            self._materialized(event)
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._checked(event)
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            self._failed(event)

    def _materialized(self, event: dg.DagsterEvent) -> None:
        materialization = event.step_materialization_data.materialization
        seconds = time.monotonic() - self._started.get(event.step_key or "", time.monotonic())
        told = _told({key: value.value for key, value in materialization.metadata.items()})
        name = materialization.asset_key.to_user_string()
        PROGRESS.print(f"[green]✓[/] {name:<24} [dim]{seconds:6.1f} s[/]  {told}")

    def _checked(self, event: dg.DagsterEvent) -> None:
        check = event.asset_check_evaluation_data
        if check.passed:
            return
        reason = check.description or "see its metadata"
        said = f"{check.asset_key.to_user_string()}: the check '{check.check_name}' failed: {reason}"
        PROGRESS.print(f"[yellow]![/] {said}")
        if check.blocking:
            self.failure = self.failure or said

    def _failed(self, event: dg.DagsterEvent) -> None:
        PROGRESS.print(f"[red]✗[/] {_spoken(event.step_key)}")
        self.failure = self.failure or f"{_spoken(event.step_key)}: {_cause(event)}"


def _cause(event: dg.DagsterEvent) -> str:
    """What went wrong, without the names of our error classes."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    # Of a chain the first error of ours: it says what to do. What it was raised from is for readers of the log.
    while error and error.cause and not error.message.startswith(_OURS):
        error = error.cause
    text = error.message.strip() if error else "failed"
    return text.split(": ", 1)[1] if text.startswith(_OURS) else text


def _spoken(step: str | None) -> str:
    return (step or "").replace("__", "/", 1)


def _told(metadata: Mapping[str, object]) -> str:
    counts = [
        f"{metadata[key]:g} {key.replace('_', ' ')}"
        for key in _COUNTS
        if isinstance(count := metadata.get(key), int | float) and not isinstance(count, bool) and count
    ]
    words = [f"{key.replace('_', ' ')} {str(metadata[key])[:21]}" for key in _WORDS if metadata.get(key)]
    reused = ["reused"] if metadata.get("reused") is True or metadata.get("new") is False else []
    return ", ".join([*counts, *words, *reused]) or "nothing"
