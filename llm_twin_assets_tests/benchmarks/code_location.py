"""What loading the code location costs: Dagster does it in the webserver, in the daemon and for every run."""

import tempfile
from pathlib import Path

from llm_twin_assets_tests.benchmarks.measuring import Row, interleaved

BOUND = 3.0


def measure() -> list[Row]:
    """`dagster definitions validate` against a bare `import dagster, pandas`."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
        module = ["-m", "llm_twin_assets.definitions"]
        costs = interleaved(
            {
                "bare": ["-c", "import dagster, pandas"],
                "import": ["-c", "import llm_twin_assets.definitions"],
                "validate": ["-m", "dagster", "definitions", "validate", *module],
            }
        )
    bare, imported, validate = costs["bare"], costs["import"], costs["validate"]
    ratio = validate.cpu / bare.cpu
    return [
        Row("import dagster, pandas", f"{bare.cpu:.2f} s of CPU, {bare.wall:.2f} s"),
        Row("import llm_twin_assets.definitions", f"{imported.cpu:.2f} s of CPU, {imported.wall:.2f} s"),
        Row("dagster definitions validate", f"{validate.cpu:.2f} s of CPU, {validate.wall:.2f} s"),
        Row("validate / bare import, CPU", f"{ratio:.2f}", f"at most {BOUND:.0f}", ratio <= BOUND),
        Row("validate / bare import, clock", f"{validate.wall / bare.wall:.2f}", f"at most {BOUND:.0f}",
            validate.wall / bare.wall <= BOUND),
    ]  # fmt: skip
