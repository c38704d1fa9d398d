import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.split import Assignment
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.datasets.made import article, built, stored, words
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Dataset

SETTINGS = Dataset()


@pytest.fixture
def documents() -> list[CleanedDocument]:
    return [cleaned(f"d{n}", f"Page {n} says: {words(20, str(n))}.") for n in range(30)]


def test_the_same_content_has_the_same_digest_in_any_order(documents: list[CleanedDocument]) -> None:
    assert built(documents, SETTINGS) == built(documents[::-1], SETTINGS)


def test_the_digest_is_the_same_on_every_machine() -> None:
    corpus = [article(f"a{number}") for number in range(12)]
    assert built(corpus, SETTINGS)[0] == "b9ea8d2580a601030138527ebf8afb4796d30ad6fc1be8b88c838c70526feb48"


def test_a_changed_word_or_setting_makes_another_version(documents: list[CleanedDocument]) -> None:
    edited = [cleaned("d0", f"Page 0 says: {words(20, 'else')}."), *documents[1:]]
    digests = {built(documents, SETTINGS)[0], built(edited, SETTINGS)[0], built(documents, Dataset(seed=1))[0]}
    assert len(digests) == 3


def test_what_is_stored_comes_back(documents: list[CleanedDocument], objects: ObjectStore) -> None:
    found = stored(objects, documents, SETTINGS)
    assert found.digest == built(documents, SETTINGS)[0]
    rows = [row for split in Split for row in version.samples_of(objects, found, split).to_pylist()]
    assert len(rows) == 30
    assert {row["tier"] for row in rows} == {"xs"}
    sealed = version.test_documents(objects, found)
    assert sealed["document_id"].to_pylist() == found.manifest["documents"]["test"]  # type: ignore[call-overload, index]


def test_a_half_written_version_is_completed(documents: list[CleanedDocument], objects: ObjectStore) -> None:
    objects.replace(f"datasets/maya/{built(documents, SETTINGS)[0]}/train.parquet", b"torn")
    found = stored(objects, documents, SETTINGS)
    assert version.samples_of(objects, found, Split.TRAIN).num_rows > 0


def test_a_complete_version_is_never_written_again(documents: list[CleanedDocument], objects: ObjectStore) -> None:
    found = stored(objects, documents, SETTINGS)
    file = Path(objects.root, f"{found.prefix}/train.parquet")
    before = file.stat().st_mtime_ns
    files = dict.fromkeys(built(documents, SETTINGS)[1], b"other")
    version.store(objects, "maya", found.digest, files, Assignment({}), SETTINGS)
    assert file.stat().st_mtime_ns == before


def test_what_others_sealed_is_remembered_until_another_split_is_asked_for(
    documents: list[CleanedDocument], objects: ObjectStore
) -> None:
    assert version.sealed_before(objects, "maya", SETTINGS) == frozenset()
    version.store(objects, "maya", "d", {"manifest.json": b"{}"}, Assignment({}, sealed=frozenset({"d1"})), SETTINGS)
    assert version.sealed_before(objects, "maya", SETTINGS) == {"d1"}
    assert version.sealed_before(objects, "maya", Dataset(tier="s")) == {"d1"}
    assert version.sealed_before(objects, "maya", Dataset(seed=5)) == frozenset()


def test_the_pointer_of_an_earlier_release_seals_nothing(objects: ObjectStore) -> None:
    objects.replace("datasets/maya/current.json", b'{"digest": "d"}')
    assert version.sealed_before(objects, "maya", SETTINGS) == frozenset()


def test_the_manifest_says_what_was_made_and_what_was_left_out(documents: list[CleanedDocument]) -> None:
    short = cleaned("short", "Too short.")
    manifest = json.loads(built([*documents, short], SETTINGS)[1]["manifest.json"])
    assert manifest["kinds"] == {"title_opening": 30}
    assert manifest["dropped"] == {"answer too short": 1}
    assert manifest["tiers"]["l"] == manifest["samples"]["train"]
    assert set(manifest["decontamination"]) == {"train → validation and test", "validation → test"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version as it lies on disk, or on a hub."""
    folder = tmp_path_factory.mktemp("version")
    _, files, _ = built([article(f"a{number}") for number in range(12)], SETTINGS)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_parquet_files_load_as_a_dataset(folder: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    files = {split.value: str(folder / f"{split.value}.parquet") for split in Split}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert {split: loaded[split].num_rows for split in loaded} == {
        split.value: pq.read_table(folder / f"{split.value}.parquet").num_rows for split in Split
    }


def test_the_folder_loads_as_a_dataset_by_its_card(folder: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "validation", "test"}
    assert {"instruction", "answer", "document_id", "start", "end"} <= set(loaded["train"].column_names)
    sealed = datasets.load_dataset(str(folder), "sealed_documents", cache_dir=str(tmp_path / "cache"))
    assert sealed["test"]["text"] == pq.read_table(folder / "test_documents.parquet")["text"].to_pylist()


def test_a_version_with_an_empty_split_loads_too(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    _, files, manifest = built([article(f"a{number}") for number in range(2)], SETTINGS)
    assert "validation" not in manifest["samples"]  # type: ignore[operator]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert set(datasets.load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))) == {"train", "test"}


def test_an_author_without_a_dataset_is_told_what_to_do(objects: ObjectStore) -> None:
    with pytest.raises(StorageError, match=r"no dataset yet\. Run `twin run --author noor`"):
        version.current(objects, "noor")


def test_a_version_of_a_document_that_was_forgotten_is_not_learnt_from(
    documents: list[CleanedDocument], objects: ObjectStore
) -> None:
    made = stored(objects, documents, SETTINGS)
    version.mark_stale(objects, made.prefix, ["a"])
    version.mark_stale(objects, made.prefix, ["b", "a"])
    assert version.stale(objects, made.prefix) == ("a", "b")
    with pytest.raises(StorageError, match="was made of a document that is to be forgotten"):
        version.current(objects, "maya")
    assert version.open_version(objects, "maya", made.digest) == made, "for the record it is still there"
    assert stored(objects, documents[1:], SETTINGS).digest != made.digest
