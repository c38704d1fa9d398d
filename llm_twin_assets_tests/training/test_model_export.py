"""A registered model taken elsewhere: as it is, merged, and as GGUF."""

from pathlib import Path

import pytest
from tiny_training import AUTHOR_NAME

from llm_twin_assets.training.errors import TrainingFailedError, VerificationError
from llm_twin_assets.training.export import export_gguf, export_merged, export_model
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from resources.bases import find_base
from resources.errors import ConfigurationError, ModelNotFoundError
from resources.folder_digest import folder_digest
from resources.registry import Registry

AUTHOR = "ada"

# As llama.cpp's is called; what it does in between is not ours.
CONVERTER = """
import pathlib, sys
model, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[sys.argv.index("--outfile") + 1])
assert (model / "model.safetensors").is_file() and not (model / "adapter_config.json").exists()
out.write_bytes(b"GGUF" + sys.argv[sys.argv.index("--outtype") + 1].encode())
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, trained: TrainingSpec) -> Registry:
    """A registry with one adapter in it."""
    made = Registry.embedded(tmp_path_factory.mktemp("registry"))
    base = find_base(str(trained.base_folder))
    tags = {"base": base.id, "base_digest": base.digest}
    with made.run(AUTHOR, name="trained", tags={}, dataset_digest="d") as run:
        run.register(TrainingOutput(trained.output).model, tags, {})
    return made


def test_a_model_leaves_as_it_was_registered(registry: Registry, tmp_path: Path) -> None:
    exported = export_model(registry, AUTHOR, "1", tmp_path / "out")

    assert folder_digest(exported.path) == registry.version(AUTHOR, "1").digest
    assert (tmp_path / "out" / "adapter_config.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_merged_model_needs_no_base_and_answers_the_same(registry: Registry, tmp_path: Path) -> None:
    exported = export_merged(registry, AUTHOR, AUTHOR_NAME, "1", tmp_path / "deep" / "merged")

    assert exported.deviation is not None
    assert exported.deviation < 1e-3
    assert (exported.path / "model.safetensors").is_file()
    assert not (exported.path / "adapter_config.json").exists()
    assert [path.name for path in exported.path.parent.iterdir()] == ["merged"]


def test_llama_cpps_converter_gets_the_merged_model(registry: Registry, tmp_path: Path) -> None:
    checkout = tmp_path / "llama.cpp"
    checkout.mkdir()
    (checkout / "convert_hf_to_gguf.py").write_text(CONVERTER)

    exported = export_gguf(registry, AUTHOR, AUTHOR_NAME, "1", tmp_path / "twin.gguf", "q8_0", checkout)

    assert exported.path.read_bytes() == b"GGUFq8_0"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["llama.cpp", "twin.gguf"]


@pytest.mark.parametrize(
    ("script", "said"),
    [("raise SystemExit('no such architecture')", "no such architecture"), ("pass", "has written no GGUF file")],
)
def test_a_converter_that_fails_leaves_nothing(registry: Registry, tmp_path: Path, script: str, said: str) -> None:
    (tmp_path / "convert.py").write_text(script)

    with pytest.raises(TrainingFailedError, match=said):
        export_gguf(registry, AUTHOR, AUTHOR_NAME, "1", tmp_path / "twin.gguf", converter=tmp_path / "convert.py")

    assert [path.name for path in tmp_path.iterdir()] == ["convert.py"]


def test_without_llama_cpp_it_says_what_to_get_before_anything_is_loaded(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigurationError, match=r"convert_hf_to_gguf\.py is not on PATH\. Get llama\.cpp"):
        export_gguf(registry, AUTHOR, AUTHOR_NAME, "1", tmp_path / "twin.gguf")


def test_what_is_there_is_not_overwritten(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is something already"):
        export_model(registry, AUTHOR, "1", tmp_path)


def test_an_adapter_is_not_merged_into_another_base(registry: Registry, tmp_path: Path, gpt2: Path) -> None:
    trained_on = registry.tags(AUTHOR, "1")["base"]
    registry.mark(AUTHOR, "1", {"base": str(gpt2)})
    try:
        with pytest.raises(ModelNotFoundError, match="is not the one that version 1 was trained on"):
            export_merged(registry, AUTHOR, AUTHOR_NAME, "1", tmp_path / "merged")
    finally:
        registry.mark(AUTHOR, "1", {"base": trained_on})
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_model_does_not_leave(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    download = registry.download

    def damaged(author: str, version: str, scratch: Path) -> Path:
        folder = download(author, version, scratch)
        (folder / "adapter_config.json").write_text("{}")
        return folder

    monkeypatch.setattr(registry, "download", damaged)

    with pytest.raises(VerificationError, match="digest"):
        export_model(registry, AUTHOR, "1", tmp_path / "out")

    assert list(tmp_path.iterdir()) == []
