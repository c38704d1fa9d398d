"""What .ci/check_package.py finds in distributions; those here are made of empty files."""

import importlib.util
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from llm_twin_assets_tests.imports import ROOT

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_package", ROOT / ".ci" / "check_package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make(script: ModuleType, tmp_path: Path) -> Make:
    """Good distributions, but for what is left out of them and what is put in."""

    def write(without: str = "", more: Iterable[str] = ()) -> Path:
        needed = [name.replace("*", "a-file") for name in script.NEEDED]
        packages = [f"{package}/__init__.py" for package in script.PACKAGES]
        names = [*needed, *packages, "llm_twin-0.1.0.dist-info/licenses/LICENSE", *more]
        with zipfile.ZipFile(tmp_path / "llm_twin-0.1.0-py3-none-any.whl", "w") as wheel:
            for name in names:
                if name != without:
                    wheel.writestr(name, "")
        with tarfile.open(tmp_path / "llm_twin-0.1.0.tar.gz", "w:gz") as source:
            for name in (*needed, *script.OF_THE_SOURCE, "llm_twin_assets_tests/test_a.py"):
                source.addfile(tarfile.TarInfo(f"llm_twin-0.1.0/{name}"), io.BytesIO())
        return tmp_path

    return write


def test_whole_distributions_have_no_faults(script: ModuleType, make: Make) -> None:
    assert script.faults(make(), "v0.1.0") == []


@pytest.mark.parametrize(
    "name",
    ["bentos/bentofile.yaml", "llm_twin_assets/training/tiny_llama/model/model.safetensors"],
)
def test_a_missing_file_is_named(script: ModuleType, make: Make, name: str) -> None:
    assert script.faults(make(without=name)) == [f"llm_twin-0.1.0-py3-none-any.whl lacks {name}"]


def test_tests_and_leftovers_do_not_belong_into_a_wheel(script: ModuleType, make: Make) -> None:
    found = script.faults(make(more=["llm_twin_assets_tests/test_a.py", "bentos/__pycache__/api.cpython-311.pyc"]))
    assert any("llm_twin_assets_tests, which is no package of ours" in fault for fault in found)
    assert any("__pycache__" in fault for fault in found)


def test_a_tag_has_to_be_the_version(script: ModuleType, make: Make) -> None:
    assert script.faults(make(), "v0.2.0") == ["tag v0.2.0 is not version 0.1.0 of pyproject.toml"]
