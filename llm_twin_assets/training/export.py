"""A registered model for other programs: as it is, merged with its base, or as the GGUF file that llama.cpp reads."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llm_twin_assets.training.errors import TrainingFailedError
from llm_twin_assets.training.verification import check_digest
from resources.bases import Base, find_base
from resources.errors import ConfigurationError, ModelNotFoundError
from resources.registry import Registry

GgufType = Literal["auto", "f32", "f16", "bf16", "q8_0"]
CONVERTER = "convert_hf_to_gguf.py"
_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class Exported:
    """Where a model was written to, which one, and by how much the written one's logits are off (merged ones only)."""

    path: Path
    version: str
    deviation: float | None = None


def export_model(registry: Registry, author: str, version: str, out: Path) -> Exported:
    """The registered folder, its files checked against the registered digest: an adapter, or a whole model."""
    with _fresh(out) as partial:
        _fetch(registry, author, version, partial)
    return Exported(out, version)


def export_merged(registry: Registry, author: str, author_name: str, version: str, out: Path) -> Exported:
    """A model without adapter, as safetensors; its answers are compared with those of base and adapter."""
    with _fresh(out) as partial:
        deviation = _merged(registry, author, author_name, version, partial)
    return Exported(out, version, deviation)


def export_gguf(
    registry: Registry,
    author: str,
    author_name: str,
    version: str,
    out: Path,
    outtype: GgufType = "auto",
    converter: Path | None = None,
) -> Exported:
    """A GGUF file, made of the merged model by llama.cpp's own converter."""
    script = find_converter(converter)
    with _fresh(out) as partial, tempfile.TemporaryDirectory(prefix="twin-merged-", dir=partial.parent) as scratch:
        merged = Path(scratch, "model")
        deviation = _merged(registry, author, author_name, version, merged)
        _convert(script, merged, partial, outtype)
    return Exported(out, version, deviation)


def find_converter(named: Path | None) -> Path:
    """llama.cpp's converter: the file or checkout that is named, else on PATH; else `ConfigurationError`."""
    found = shutil.which(CONVERTER) if named is None else named.expanduser()
    if found is not None:
        file = Path(found) / CONVERTER if Path(found).is_dir() else Path(found)
        if file.is_file():
            return file.resolve()
    raise ConfigurationError(
        f"llama.cpp's {CONVERTER} is not {f'at {named}' if named else 'on PATH'}",
        mend="Get llama.cpp, and name its folder by --converter or TWIN_GGUF_CONVERTER; --merged needs none of it.",
    )


def _fetch(registry: Registry, author: str, version: str, into: Path) -> None:
    model = registry.version(author, version)
    with tempfile.TemporaryDirectory(prefix="twin-export-", dir=into.parent) as scratch:
        folder = registry.download(author, version, Path(scratch))
        check_digest(folder, model)
        shutil.copytree(folder, into)


def _merged(registry: Registry, author: str, author_name: str, version: str, into: Path) -> float | None:
    with tempfile.TemporaryDirectory(prefix="twin-export-", dir=into.parent) as scratch:
        folder = Path(scratch, "registered")
        _fetch(registry, author, version, folder)
        if not (folder / "adapter_config.json").is_file():
            folder.rename(into)
            return None
        from llm_twin_assets.training.merging import merge

        return merge(folder, _base(registry, author, version).folder, into, author_name)


def _base(registry: Registry, author: str, version: str) -> Base:
    tags = registry.tags(author, version)
    base = find_base(tags["base"], tags.get("base_revision") or None)
    if base.digest != tags["base_digest"]:
        raise ModelNotFoundError(
            f"the base '{base.id}' is not the one that version {version} was trained on",
            where=str(base.folder),
            mend="Put the files back that it had then: an adapter is of no use on others.",
        )
    return base


def _convert(script: Path, model: Path, into: Path, outtype: GgufType) -> None:
    command = [sys.executable, str(script), str(model), "--outfile", str(into), "--outtype", outtype]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise TrainingFailedError(f"{CONVERTER} failed (code {done.returncode}): {said}", where=str(script))
    if not into.is_file() or into.open("rb").read(len(_MAGIC)) != _MAGIC:
        raise TrainingFailedError(f"{CONVERTER} has written no GGUF file", where=str(script))


@contextmanager
def _fresh(out: Path) -> Iterator[Path]:
    """A path beside `out` to write to, which becomes `out` in one step, or is removed if anything goes wrong."""
    if out.exists():
        raise ConfigurationError("there is something already", where=str(out), mend="Name another with --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.partial")
    _remove(partial)
    try:
        yield partial
        partial.rename(out)
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
