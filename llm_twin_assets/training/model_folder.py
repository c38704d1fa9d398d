"""A model folder fit to be shared: no pickles, no paths of this machine, the same bytes for the same training."""

import json
from pathlib import Path

from llm_twin_assets.domain.identity import Json

_KEPT = frozenset({".safetensors", ".json", ".jinja", ".model", ".txt"})


def tidy(folder: Path, *, base: str, revision: str | None) -> None:
    """Remove what is not model or tokenizer (`training_args.bin` is a pickle), and name the base by its id."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix not in _KEPT:
            file.unlink()
    adapter = folder / "adapter_config.json"
    if adapter.is_file():
        _write(adapter, _named(_read(adapter), base, revision))
    for file in (folder / "config.json", folder / "tokenizer_config.json"):
        if file.is_file():
            _write(
                file, {key: value for key, value in _read(file).items() if key not in ("_name_or_path", "name_or_path")}
            )


def _named(config: dict[str, Json], base: str, revision: str | None) -> dict[str, Json]:
    # PEFT writes sets as lists, in the order of this process's string hashes.
    in_order = {key: sorted(value, key=str) if isinstance(value, list) else value for key, value in config.items()}
    return {**in_order, "base_model_name_or_path": base, "revision": revision}


def _read(file: Path) -> dict[str, Json]:
    content: dict[str, Json] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _write(file: Path, content: dict[str, Json]) -> None:
    file.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
