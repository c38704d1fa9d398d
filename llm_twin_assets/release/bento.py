"""The bento of a release: the serving code, its pinned packages and its part of `twin.yaml`, named by what is in it.

The name is a digest, so that a release can say which bento serves it before anybody has built that: the same code with
the same settings makes the same bento on any machine. Models and snapshots stay in the store that the service follows.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from llm_twin_assets.release.code_version import code_version
from resources.errors import TwinError
from resources.service_settings import ServiceSettings
from resources.settings import Settings

BENTOFILE = "bentos/bentofile.yaml"
REQUIREMENTS = "bentos/requirements.txt"
_TAKEN_ALONG = "bentos/serving.yaml"
_DIGITS = 12


class BentoError(TwinError):
    """A bento that cannot be built, or is not the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Built:
    """A bento in BentoML's store; `size` in bytes. `reused` if it was there already."""

    tag: str
    path: Path
    size: int
    reused: bool


def bento_files(settings: Settings, root: Path | None = None) -> dict[str, bytes]:
    """What a bento is built from, by path below the folder of the packages (`root`: another than this installation)."""
    root = root or Path(__file__).parents[2]
    recipe = yaml.safe_load((root / BENTOFILE).read_text(encoding="utf-8"))
    named = {path for pattern in recipe["include"] for path in root.glob(pattern) if path.is_file()}
    left_out = {root / path for path in recipe["exclude"]}
    paths = {root / BENTOFILE, root / REQUIREMENTS} | (named - left_out)
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(paths)}
    said = ServiceSettings.of(settings).model_dump(mode="json")
    return {**files, _TAKEN_ALONG: yaml.safe_dump(said, sort_keys=True).encode()}


def bento_tag(files: Mapping[str, bytes]) -> str:
    """The bento's name and version: a digest of what it is built from."""
    sha = hashlib.sha256()
    for path, content in sorted(files.items()):
        sha.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return f"twin:{sha.hexdigest()[:_DIGITS]}"


def build(files: Mapping[str, bytes]) -> Built:
    """Put the bento into BentoML's store, unless it is there; raises `BentoError`."""
    tag = bento_tag(files)
    path = _store() / tag.replace(":", "/")
    reused = (path / "bento.yaml").is_file()
    if not reused:
        with TemporaryDirectory(prefix="twin-bento-") as scratch:
            _write(files, Path(scratch))
            _bentoml_build(Path(scratch), tag)
    return Built(tag, path, sum(file.stat().st_size for file in path.rglob("*") if file.is_file()), reused)


def _store() -> Path:
    """Where BentoML keeps bentos, as it decides itself (its `BENTOML_HOME`)."""
    home = os.environ.get("BENTOML_HOME")
    return (Path(home).expanduser() if home else Path.home() / "bentoml") / "bentos"


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _bentoml_build(folder: Path, tag: str) -> None:
    """In a process and a folder of its own: BentoML imports the service, and must find it among the files alone."""
    command = [
        sys.executable, "-m", "bentoml", "build", "--bentofile", BENTOFILE, "--version", tag.partition(":")[2],
        "--label", f"code_version={code_version()}", "--output", "tag", ".",
    ]  # fmt: skip
    environment = {**os.environ, "BENTOML_DO_NOT_TRACK": "true"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        # Several lines, of which any may be the one that tells why.
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
        raise BentoError(
            f"BentoML did not build it: {said or 'without a word'}",
            where=tag,
            mend="Is the extra 'serve' installed?",
        )
