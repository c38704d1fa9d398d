import hashlib
import json
import struct
from pathlib import Path

import pytest

from resources.bases import Base, base_digest, find_base, parameter_count, shipped_base
from resources.errors import ModelNotFoundError


def write_base(folder: Path, weights: bytes = b"\0" * 4) -> Path:
    folder.mkdir(parents=True)
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "F32", "shape": [5], "data_offsets": [24, 44]},
        }
    ).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + weights)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_a_local_folder_is_a_base(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")

    assert find_base(str(folder)) == Base(str(folder), folder)


def test_parameters_are_counted_from_the_header_alone(tmp_path: Path) -> None:
    assert parameter_count(write_base(tmp_path / "base")) == 11


def test_the_digest_follows_weights_and_configuration_but_not_other_files(tmp_path: Path) -> None:
    first = write_base(tmp_path / "first")
    same = write_base(tmp_path / "same")
    (same / "README.md").write_text("about")
    other = write_base(tmp_path / "other", weights=b"\1" * 4)

    assert base_digest(first) == base_digest(same)
    assert base_digest(first) != base_digest(other)


def test_a_hub_cache_is_named_without_being_read(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    before = base_digest(folder)
    weights = (folder / "model.safetensors").read_bytes()
    blob = tmp_path / hashlib.sha256(weights).hexdigest()
    blob.write_bytes(weights)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(blob)

    assert base_digest(folder) == before


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("config.json", "no config.json"),
        ("model.safetensors", r"no \*\.safetensors"),
        ("tokenizer.json", r"no tokenizer\*"),
    ],
)
def test_an_incomplete_folder_says_what_it_lacks(missing: str, said: str, tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    (folder / missing).unlink()

    with pytest.raises(ModelNotFoundError, match=said):
        find_base(str(folder))


def test_a_folder_that_is_not_there_is_not_asked_of_the_hub() -> None:
    with pytest.raises(ModelNotFoundError, match=r"twin\.yaml: training\.base: there is no folder './nowhere'"):
        find_base("./nowhere")


def test_a_hub_that_cannot_be_reached_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(ModelNotFoundError, match=r"neither shipped, nor a local folder.* Use 'tiny-llama'"):
        find_base("somebody/some-model")


def test_a_name_that_is_no_hub_id_is_refused() -> None:
    with pytest.raises(ModelNotFoundError, match="HFValidationError"):
        find_base("not a hub id!")


def test_only_shipped_bases_are_shipped() -> None:
    assert shipped_base("somebody/some-model") is None
