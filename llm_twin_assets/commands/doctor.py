"""`twin doctor`: what is missing on this machine, and how to mend it."""

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.collection.sources import check_sources
from llm_twin_assets.commands.console import OUT
from llm_twin_assets.definitions import embedder
from resources.bases import find_base
from resources.errors import TwinError
from resources.settings import Environment, Settings
from resources.yaml_source import YamlSource

_EXTRAS = {
    "train": ("torch", "trl", "peft", "mlflow", "datasets"),
    "serve": ("bentoml", "fastapi", "opentelemetry-sdk"),
    "monitor": ("arize-phoenix", "arize-phoenix-client"),
}
# A small model, its index and the installed packages' caches; a real base model needs its own size on top.
_MIN_FREE_GB = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    found: str
    mend: str = ""


def examine(environment: Environment) -> list[Finding]:
    """Look at everything that a run and a service need; never raises for what it finds."""
    return [
        _python(),
        *_extras(),
        _git(),
        _home(environment),
        _tried("twin.yaml", lambda: _sources(environment.config)),
        _tried("embedding model", lambda: embedder(Settings.load(environment.config)).digest[:12]),
        _tried("base model", lambda: _base(environment.config)),
    ]


def show(findings: list[Finding]) -> None:
    """One line each, with what to do below what is wrong."""
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        OUT.print(f"{mark} {finding.subject:<16} {finding.found}")
        if finding.mend and not finding.ok:
            OUT.print(f"  {'':<16} [yellow]{finding.mend}[/]")


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", (3, 11) <= sys.version_info < (3, 13), version, "Use Python 3.11 or 3.12.")


def _extras() -> Iterator[Finding]:
    for extra, packages in _EXTRAS.items():
        missing = [package for package in packages if not _is_there(package)]
        found = f"missing: {', '.join(missing)}" if missing else "installed"
        yield Finding(f"extra '{extra}'", not missing, found, f"pip install -c constraints.txt -e '.[{extra}]'")


def _is_there(package: str) -> bool:
    # By its metadata: to look for a module in a package imports the package, and all of Phoenix takes ten seconds.
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _git() -> Finding:
    path = shutil.which("git")
    return Finding(
        "git", path is not None, path or "not found", "Install git: code and dates of notes are read with it."
    )


def _home(environment: Environment) -> Finding:
    if "://" in environment.home:
        return Finding("TWIN_HOME", True, environment.home)
    present = Path(environment.home)
    while not present.exists():
        present = present.parent
    free = shutil.disk_usage(present).free / 1e9
    found = f"{environment.home}, {free:.0f} GB free"
    return Finding("TWIN_HOME", free >= _MIN_FREE_GB, found, f"Free at least {_MIN_FREE_GB} GB, or set TWIN_HOME.")


def _sources(config: Path) -> str:
    settings = Settings.load(config)
    check_sources(settings, YamlSource.read(config))
    return f"{', '.join(settings.authors)}: {sum(len(author.sources) for author in settings.authors.values())} sources"


def _base(config: Path) -> str:
    training = Settings.load(config).training
    return str(find_base(training.base, training.revision).folder)


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, look())
    except TwinError as error:
        where = f"{error.where}: " if error.where else ""
        return Finding(subject, False, f"{where}{error.what}", error.mend or "")
