"""The Dagster instance of this project: where it lives and how it is set up."""

import os
from pathlib import Path

import dagster as dg

from resources.settings import Environment

# Runs of one author never overlap (they write the same tables); authors run side by side.
_DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
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
    """The instance that the Dagster UI shows too."""
    return dg.DagsterInstance.from_config(str(dagster_home(environment)))
