"""`twin` as a person types it, on a home and a `twin.yaml` of the test's own."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from llm_twin_assets.cli import app
from llm_twin_assets_tests.bentos.servers import free_port
from llm_twin_assets_tests.commands.typed import Configure, Twin
from llm_twin_assets_tests.e2e import small_author


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Twin:
    """Run `twin ARGUMENTS` in this process; nothing answers where its service would be."""
    monkeypatch.setenv("TWIN_CONFIG", str(tmp_path / "twin.yaml"))
    monkeypatch.setenv("TWIN_SERVICE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a good `twin.yaml` of one author with ten notes, but for the sections given."""
    small_author.write_notes(tmp_path / "notes")

    def write(platform: str = "files", **sections: object) -> Path:
        source = {"platform": platform, "path": str(tmp_path / "notes")}
        authors = {small_author.AUTHOR: {"name": small_author.NAME, "sources": [source]}}
        settings = {"authors": authors, "dataset": {"test_share": 0.4}, **sections}
        file = tmp_path / "twin.yaml"
        file.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return file

    return write
