"""The Dagster instance of this project: where it lives, how it is set up, and which of its runs still go on."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from resources.settings import Environment

# Runs of one author never overlap (they write the same tables); authors run side by side, but each platform's pool
# holds one collection at a time, so that a host is asked at one pace.
_DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
freshness:
  enabled: true
concurrency:
  pools:
    default_limit: 1
    granularity: op
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - key: dagster/partition
        limit: 1
        value:
          applyLimitPerUniqueValue: true
"""


def dagster_home(environment: Environment) -> Path:
    """`DAGSTER_HOME`, or `dagster/` below the home; created with our settings where there are none."""
    home = Path(os.environ.get("DAGSTER_HOME") or environment.local("dagster"))
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(_DAGSTER_YAML, encoding="utf-8")
    return home


def open_instance(environment: Environment) -> dg.DagsterInstance:
    """The instance that the Dagster UI shows too, its storage made: a command may start servers on it at once.

    A webserver and a daemon that start together on a fresh home both create the SQLite schemas, and one of them, or the
    database, is broken after it (seen on Dagster 1.13.27).
    """
    instance = dg.DagsterInstance.from_config(str(dagster_home(environment)))
    instance.get_runs(limit=1)
    instance.all_instigator_state()
    instance.fetch_materializations(dg.AssetKey("none"), limit=1)
    return instance


@contextmanager
def going_on(run_id: str, environment: Environment) -> Iterator[None]:
    """Inside the block the run counts as going on; a process that is killed in it leaves it to `end_killed_runs`."""
    file = _running(environment) / run_id
    with file.open("w") as held:
        # The kernel lets go of it when the process ends, however it ends, and no other process gets its place.
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    file.unlink(missing_ok=True)


def end_killed_runs(instance: dg.DagsterInstance, environment: Environment) -> list[str]:
    """Mark as failed the runs whose process was killed; returns their ids.

    Dagster would count them as started for ever, and since an author's runs never overlap, start no other of theirs.
    """
    killed = [file.name for file in sorted(_running(environment).iterdir()) if _is_let_go(file)]
    for run_id in killed:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "The process of this run was killed. What it wrote until then stands.")
        # A step that was killed keeps its place in a pool, and the next run would wait for it for ever.
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        (_running(environment) / run_id).unlink()
    return killed


def _is_let_go(file: Path) -> bool:
    with file.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _running(environment: Environment) -> Path:
    folder = dagster_home(environment) / "running"
    folder.mkdir(exist_ok=True)
    return folder
