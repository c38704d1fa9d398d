"""`twin model`: what is on record of a version, and the version taken elsewhere."""

import json
from pathlib import Path

import pytest

from llm_twin_assets_tests.commands.typed import Configure, Twin, said
from resources.bases import find_base
from resources.folder_digest import folder_digest
from resources.registry import Registry
from resources.settings import Environment

AUTHOR = "maya"


@pytest.fixture
def model(configure: Configure, tmp_path: Path) -> Path:
    """The folder of the one registered version: a whole model, which is the shipped base itself."""
    configure()
    folder = find_base("tiny-llama").folder
    registry = Registry.embedded(Environment.current().local("mlflow"))
    with registry.run(AUTHOR, name="trained", tags={}, dataset_digest="d") as run:
        registered = run.register(folder, {"base": "tiny-llama", "method": "full"}, {})
    registry.set_alias(AUTHOR, "candidate", registered.version)
    return folder


def test_a_version_is_shown_exported_and_never_written_over(twin: Twin, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    shown = twin("model", "show", "-a", AUTHOR)
    found = json.loads(twin("model", "show", "-a", AUTHOR, "--version", "1", "--json").stdout)
    exported = twin("model", "export", "-a", AUTHOR, "--out", str(out))
    merged = twin("model", "export", "-a", AUTHOR, "--out", str(tmp_path / "merged"), "--merged")

    assert "version 1 of maya" in shown.stdout
    assert (found["version"], found["tags"]["method"]) == ("1", "full")
    assert f"{out}: version 1" in exported.stdout.replace("\n", "")
    assert merged.exit_code == 0, merged.output
    assert folder_digest(out) == folder_digest(tmp_path / "merged") == found["tags"]["model_digest"]
    assert "there is something already" in said(twin("model", "export", "-a", AUTHOR, "--out", str(out)))


def test_gguf_without_a_converter_says_what_to_get(twin: Twin, configure: Configure, tmp_path: Path) -> None:
    configure()
    arguments = ("model", "export", "-a", AUTHOR, "--out", str(tmp_path / "m.gguf"), "--gguf", "--version", "1")

    assert "Get llama.cpp" in said(twin(*arguments, "--converter", str(tmp_path)))


def test_an_author_without_a_model_is_told_so_in_one_line(twin: Twin, configure: Configure) -> None:
    configure()

    assert "maya" in said(twin("model", "show", "-a", AUTHOR))
    assert "there is no author 'noor'" in said(twin("model", "export", "-a", "noor", "--out", "nowhere"))
