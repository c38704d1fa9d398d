import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from syrupy.assertion import SnapshotAssertion

from llm_twin_assets.definitions import definitions
from llm_twin_assets.monitoring.daily import AUTHORS_AND_DAYS, DAILY
from llm_twin_assets.partitions import AUTHORS

# Model libraries must never load with the graph. The others cost a second each, in the webserver, the daemon and every
# run; what that adds up to is measured by `make bench`.
HEAVY = ("torch", "transformers", "sentence_transformers", "trl", "mlflow")
SLOW = ("lancedb", "pandas", "matplotlib", "scipy", "trafilatura", "lxml", "bentoml", "phoenix", "datasets")


@pytest.fixture(scope="module")
def code_location() -> dg.Definitions:
    return definitions()


def specs(code_location: dg.Definitions) -> list[dg.AssetSpec]:
    return sorted(code_location.resolve_all_asset_specs(), key=lambda spec: spec.key)


def test_the_code_location_is_loadable(code_location: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(code_location)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The top-level modules of a process that has loaded the code location."""
    look = (
        "import sys; from llm_twin_assets.definitions import definitions; definitions();"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", look], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_loading_it_imports_no_model_library(loaded: set[str]) -> None:
    assert "dagster" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_loading_it_imports_nothing_slow_that_only_an_asset_needs(loaded: set[str]) -> None:
    assert loaded.isdisjoint(SLOW)


def test_a_broken_twin_yaml_does_not_keep_it_from_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twin.yaml").write_text("authors: [\n")
    monkeypatch.setenv("TWIN_CONFIG", str(tmp_path / "twin.yaml"))
    dg.Definitions.validate_loadable(definitions())


def test_every_asset_says_what_it_is_and_whose(code_location: dg.Definitions) -> None:
    for spec in specs(code_location):
        assert spec.description, spec.key
        assert spec.group_name not in (None, "default"), spec.key
        assert spec.kinds, spec.key
        assert spec.owners, spec.key
        assert spec.partitions_def == (AUTHORS_AND_DAYS if spec.key == DAILY else AUTHORS), spec.key


def test_the_graph_is_the_one_we_drew(code_location: dg.Definitions, snapshot: SnapshotAssertion) -> None:
    graph = code_location.resolve_asset_graph()
    drawn = []
    for spec in specs(code_location):
        node = graph.get(spec.key)
        drawn.append(f"{spec.group_name}: {spec.key.to_user_string()}")
        drawn += [
            f"    <- {dep.asset_key.to_user_string()}" for dep in sorted(spec.deps, key=lambda dep: dep.asset_key)
        ]
        drawn += [f"    check {key.name}" for key in sorted(node.check_keys, key=lambda key: key.name)]
    assert "\n".join(drawn) == snapshot
