"""The workflows of .github: what can be told of them without running them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from llm_twin_assets_tests.imports import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
# Of actions that others maintain, what is run is what was looked at: a tag can be moved, a commit cannot.
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def loaded(file: Path) -> dict[Any, Any]:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in loaded(file)["jobs"].values() for step in job.get("steps", [])]


def commands(file: Path) -> list[str]:
    return [line for step in steps(file) for line in step.get("run", "").splitlines()]


def plain(file: Path) -> list[list[str]]:
    """The words of each command, without those that GitHub fills in."""
    return [EXPRESSION.sub("", line).split() for line in commands(file)]


def test_there_is_one_to_test_one_to_package_and_one_to_publish() -> None:
    assert [file.name for file in WORKFLOWS] == ["ci.yml", "package.yml", "release.yml"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_nothing_may_be_written_unless_a_job_says_so(file: Path) -> None:
    workflow = loaded(file)
    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
    # To prove to PyPI who it is, the job that publishes gets a token of its own.
    expected = {"publish": {"contents": "read", "id-token": "write"}} if file.name == "release.yml" else {}
    assert granted == expected


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_or_ours(file: Path) -> None:
    used = [step["uses"] for step in steps(file) if "uses" in step]
    assert [each for each in used if not PINNED.fullmatch(each)] == []
    called = [job["uses"] for job in loaded(file)["jobs"].values() if "uses" in job]
    assert all((ROOT / each).is_file() for each in called)
    for each in called:
        assert "workflow_call" in loaded(ROOT / each)[True]  # YAML 1.1 reads the key `on` as true


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_checkout_forgets_the_token(file: Path) -> None:
    checkouts = [step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_job_ends_by_itself(file: Path) -> None:
    assert all("uses" in job or job["timeout-minutes"] <= 60 for job in loaded(file)["jobs"].values())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_command_is_there_to_be_run(file: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {word for words in plain(file) if words[0] == "make" for word in words[1:] if "=" not in word}
    assert wanted <= targets
    scripts = {word for words in plain(file) for word in words if word.startswith(".ci/")}
    assert all((ROOT / script).is_file() for script in scripts)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_command_is_made_of_what_a_stranger_may_name(file: Path) -> None:
    named = {found for line in commands(file) for found in EXPRESSION.findall(line)}
    assert named <= {"matrix.python"}


def test_tests_run_on_every_python_that_is_promised() -> None:
    promised = re.search(
        r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    assert promised is not None
    wanted = [f"3.{minor}" for minor in range(int(promised[1]), int(promised[2]))]
    assert loaded(FOLDER / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == wanted


def test_nothing_is_published_that_was_not_tested_and_packaged() -> None:
    jobs = loaded(FOLDER / "release.yml")["jobs"]
    assert jobs["publish"]["needs"] == ["ci", "package"]
    assert jobs["publish"]["environment"]["name"] == "pypi"
    assert loaded(FOLDER / "release.yml")[True] == {"push": {"tags": ["v*"]}}


def test_the_build_backend_is_that_of_the_project() -> None:
    [installed] = [line.split()[-1] for line in commands(FOLDER / "package.yml") if "pip install" in line]
    assert f'requires = ["{installed}"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_folder_without_distributions_is_not_published(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / ".ci" / "check_package.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "holds 0 wheels and 0 sdists" in done.stderr
