"""Base models: where the one that `twin.yaml` names is on this machine, and the digest of its files."""

import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from resources.errors import ModelNotFoundError

# Bases that the project ships: name to the package below which their `model` folder lies. The package is found, not
# imported: resources imports nothing of the project, and a service needs the files only.
SHIPPED: Mapping[str, str] = {"tiny-llama": "llm_twin_assets.training.tiny_llama"}

_WHERE = "twin.yaml: training.base"
# Safetensors alone: the other weight formats are pickles, which run code when loaded.
_WANTED = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Base:
    """A base model on this machine. `id` is what a record or an adapter calls it; `revision` is set for hub models."""

    id: str
    folder: Path
    revision: str | None = None

    @cached_property
    def digest(self) -> str:
        """sha256 over the files that decide what the model writes."""
        return base_digest(self.folder)


def find_base(name: str, revision: str | None = None) -> Base:
    """The base of that name: shipped, a local folder, or from the hub; else `ModelNotFoundError`, saying what to do."""
    if shipped := shipped_base(name):
        return Base(name, shipped)
    if name in SHIPPED:
        raise ModelNotFoundError(
            f"the shipped base '{name}' is not in this installation", where=_WHERE, mend="Install the project again."
        )
    if Path(name).expanduser().is_dir():
        folder = Path(name).expanduser().resolve()
        return Base(str(folder), _checked(folder))
    if name.startswith((".", "/", "~")):
        raise ModelNotFoundError(
            f"there is no folder '{name}'", where=_WHERE, mend="Name a folder with config.json, or a hub id."
        )
    return _from_hub(name, revision)


def shipped_base(name: str) -> Path | None:
    """The folder of a base that the project ships, or None if it ships none of that name."""
    spec = importlib.util.find_spec(SHIPPED[name]) if name in SHIPPED else None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).with_name("model")
    return folder if (folder / "config.json").is_file() else None


def base_digest(folder: Path) -> str:
    """sha256 over names and contents of the weights, configuration and tokenizer files below a folder."""
    sha = hashlib.sha256()
    for file in sorted({path for pattern in _WANTED for path in folder.glob(pattern)}):
        sha.update(f"{file.name}\0{_file_digest(file)}\n".encode())
    return sha.hexdigest()


def parameter_count(folder: Path) -> int:
    """How many parameters the safetensors files below a folder hold, from their headers alone."""
    return sum(_parameters(file) for file in folder.glob("*.safetensors"))


def _parameters(file: Path) -> int:
    # https://huggingface.co/docs/safetensors#format: 8 bytes of length (little endian), then a JSON header.
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > file.stat().st_size:
            raise ModelNotFoundError("is not a safetensors file", where=str(file), mend="Fetch the base again.")
        header = json.loads(stream.read(length))
    total = 0
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        size = 1
        for dimension in tensor["shape"]:
            size *= dimension
        total += size
    return total


def _checked(folder: Path) -> Path:
    missing = [what for what in ("config.json", "*.safetensors", "tokenizer*") if not any(folder.glob(what))]
    if missing:
        raise ModelNotFoundError(
            f"the base has no {' and no '.join(missing)}",
            where=str(folder),
            mend="Name a folder that transformers' save_pretrained wrote, model and tokenizer, with safetensors.",
        )
    return folder


def _file_digest(file: Path) -> str:
    # The hub's cache links large files to a blob that is named by its sha256: a 70B base is not read to be named.
    blob = file.resolve().name
    if file.is_symlink() and _SHA256.fullmatch(blob):
        return blob
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from_hub(name: str, revision: str | None) -> Base:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(_WANTED)))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"the base '{name}' is neither shipped, nor a local folder, nor to be had from the hub "
            f"({type(error).__name__})",
            where=_WHERE,
            mend="Use 'tiny-llama', name a local folder, or allow access to the hub (HF_TOKEN for a gated model).",
        ) from error
    commit = folder.name if _COMMIT.fullmatch(folder.name) else revision
    return Base(name, _checked(folder), commit)
