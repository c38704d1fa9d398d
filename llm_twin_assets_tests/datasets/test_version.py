import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.instruct import generate
from llm_twin_assets.datasets.split import split_of
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.conftest import cleaned
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Dataset

SETTINGS = Dataset()


def build(documents: list[CleanedDocument], settings: Dataset = SETTINGS) -> tuple[str, dict[str, bytes]]:
    split = [(document, split_of(document.document_id, settings)) for document in documents]
    digest, files, _ = version.build("maya", generate(documents, settings).samples, split, settings)
    return digest, files


@pytest.fixture
def documents() -> list[CleanedDocument]:
    return [cleaned(f"d{n}", f"Page {n} says that counting comes before any argument at all.") for n in range(30)]


def test_the_same_content_has_the_same_digest(documents: list[CleanedDocument]) -> None:
    assert build(documents)[0] == build(documents)[0]


def test_a_changed_word_or_setting_makes_another_version(documents: list[CleanedDocument]) -> None:
    edited = [cleaned("d0", "Page 0 says that arguing comes before any counting at all."), *documents[1:]]
    digests = {build(documents)[0], build(edited)[0], build(documents, Dataset(seed=1))[0]}
    assert len(digests) == 3


def test_what_is_stored_comes_back(documents: list[CleanedDocument], objects: ObjectStore) -> None:
    digest, files = build(documents)
    version.store(objects, "maya", digest, files)
    found = version.current(objects, "maya")
    assert found.digest == digest
    rows = [row for split in Split for row in version.samples_of(objects, found, split).to_pylist()]
    assert len(rows) == 30
    sealed = version.test_documents(objects, found)
    assert sealed["document_id"].to_pylist() == found.manifest["documents"]["test"]


def test_a_half_written_version_is_completed(documents: list[CleanedDocument], objects: ObjectStore) -> None:
    digest, files = build(documents)
    objects.replace(f"datasets/maya/{digest}/train.parquet", b"torn")
    version.store(objects, "maya", digest, files)
    assert version.samples_of(objects, version.current(objects, "maya"), Split.TRAIN).num_rows > 0


def test_a_complete_version_is_never_written_again(documents: list[CleanedDocument], objects: ObjectStore) -> None:
    digest, files = build(documents)
    version.store(objects, "maya", digest, files)
    stored = Path(objects.root, f"datasets/maya/{digest}/train.parquet")
    before = stored.stat().st_mtime_ns
    version.store(objects, "maya", digest, dict.fromkeys(files, b"other"))
    assert stored.stat().st_mtime_ns == before


def test_the_card_and_the_parquet_files_load_as_a_dataset(documents: list[CleanedDocument], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    _, files = build(documents)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    loaded = datasets.load_dataset(
        "parquet", data_files={"train": str(tmp_path / "train.parquet")}, cache_dir=str(tmp_path / "cache")
    )
    assert loaded["train"].num_rows == pq.read_table(tmp_path / "train.parquet").num_rows
    assert json.loads(files["manifest.json"])["samples"]["train"] == loaded["train"].num_rows


def test_an_author_without_a_dataset_is_told_what_to_do(objects: ObjectStore) -> None:
    with pytest.raises(StorageError, match=r"no dataset yet\. Run `twin run --author noor`"):
        version.current(objects, "noor")
