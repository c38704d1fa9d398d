"""Where a model comes from, as its version in the registry says: code, hardware, cost and template."""

import hashlib
import json
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llm_twin_assets.training.spec import TrainingMetrics


def cost_tags(metrics: TrainingMetrics) -> dict[str, str]:
    """On what it was trained and what that took; energy only where the GPUs' driver counts it."""
    energy = metrics.energy_joules
    return {
        "seconds": str(metrics.seconds),
        "tokens": str(metrics.tokens),
        "device": metrics.device,
        "precision": metrics.precision,
        "hardware": metrics.hardware,
        **({} if energy is None else {"energy_joules": str(energy)}),
    }


def template_digest(model: Path) -> str:
    """sha256 of the chat template in a model folder; empty if it has none."""
    file = model / "chat_template.jinja"
    if file.is_file():
        template = file.read_text(encoding="utf-8")
    else:
        config = model / "tokenizer_config.json"
        template = str(json.loads(config.read_text(encoding="utf-8")).get("chat_template") or "")
    return hashlib.sha256(template.encode()).hexdigest() if template else ""


def code_version() -> str:
    """The installed version of the project."""
    try:
        return version("llm-twin")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"


def git_commit(folder: Path) -> str | None:
    """The commit of the git tree around a folder, `+` appended if it has uncommitted changes; None without git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
