"""What training read, against what is sealed, on versions as the dataset stage stores them."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_twin_assets.datasets import preference_version, version
from llm_twin_assets.datasets.preference import Pair, Preferences, Thumb
from llm_twin_assets.datasets.version import DatasetVersion
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.evaluation.sealed import documents_read, read_by_training, seal, sealed_documents
from llm_twin_assets.training.parameter_sets import ParameterSet, SearchKey, keep
from llm_twin_assets.training.plan import plan
from llm_twin_assets.training.samples import read_samples
from llm_twin_assets_tests.datasets.made import article, stored
from resources.llm_settings import Preference
from resources.object_store import ObjectStore
from resources.settings import Dataset
from resources.training_settings import Training

RULES = Dataset(test_share=0.3, validation_share=0.2)


@pytest.fixture
def dataset(objects: ObjectStore) -> DatasetVersion:
    return stored(objects, [article(f"a{number}") for number in range(12)], RULES)


def breaches(objects: ObjectStore, dataset: DatasetVersion, **tags: str) -> list[str]:
    """Why which text that a model with these tags has read breaks the seal."""
    read = read_by_training(objects, "maya", {"dataset_version": dataset.digest, **tags})
    found = seal(sealed_documents(objects, "maya", dataset.digest), read, RULES.max_leaked_8grams)
    assert bool(found.objection) == bool(found.breaches)
    return [f"{each.where.removeprefix(dataset.prefix)} {each.why}" for each in found.breaches]


def rewrite(objects: ObjectStore, dataset: DatasetVersion, change: Callable[[list[dict[str, object]]], None]) -> None:
    """The train split with other rows in it, as no dataset stage would store it."""
    path = f"{dataset.prefix}/train.parquet"
    rows = pq.read_table(io.BytesIO(objects.get(path))).to_pylist()
    change(rows)
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, version.SAMPLE_SCHEMA), buffer)
    objects.replace(path, buffer.getvalue())


def test_a_dataset_as_it_is_made_is_sealed(objects: ObjectStore, dataset: DatasetVersion) -> None:
    read = read_by_training(objects, "maya", {"dataset_version": dataset.digest})
    splits = (Split.TRAIN, Split.VALIDATION)
    samples = sum(version.samples_of(objects, dataset, split).num_rows for split in splits)
    found = seal(sealed_documents(objects, "maya", dataset.digest), read, RULES.max_leaked_8grams)
    assert samples > 0
    assert (found.texts, found.breaches, found.objection) == (samples, (), "")
    assert found.files == tuple(f"{dataset.prefix}/{split.value}.parquet" for split in splits)


def test_a_sample_of_a_sealed_document_breaks_the_seal(objects: ObjectStore, dataset: DatasetVersion) -> None:
    sealed = sealed_documents(objects, "maya", dataset.digest)[0].document_id

    def change(rows: list[dict[str, object]]) -> None:
        rows[0] |= {"document_id": sealed, "sample_id": "smuggled", "answer": "In other words altogether."}

    rewrite(objects, dataset, change)
    assert breaches(objects, dataset) == ["/train.parquet#smuggled is of a sealed document"]


def test_a_sealed_documents_words_under_another_name_break_it_too(
    objects: ObjectStore, dataset: DatasetVersion
) -> None:
    text = sealed_documents(objects, "maya", dataset.digest)[0].text

    def change(rows: list[dict[str, object]]) -> None:
        rows[0] |= {"sample_id": "copied", "answer": " ".join(text.split()[5:25])}

    rewrite(objects, dataset, change)
    assert breaches(objects, dataset) == ["/train.parquet#copied shares a 13-gram with a more sealed split"]


def test_preferences_are_read_as_well(objects: ObjectStore, dataset: DatasetVersion) -> None:
    text = " ".join(sealed_documents(objects, "maya", dataset.digest)[0].text.split()[5:25])
    pair = Pair("p1", Split.TRAIN, "correction", "Say it.", text, "Something else.", "a model")
    harmless = Pair("p2", Split.TRAIN, "correction", "Say it.", "This.", "That.", "a model")
    thumb = Thumb("t1", "Say it.", text, label=True)
    name, files, _ = preference_version.build(
        "maya", "Maya", dataset.digest, Preferences((pair, harmless), (thumb,)), Preference()
    )
    preference_version.store(objects, "maya", name, files)
    found = breaches(objects, dataset, preference_version=name)
    assert [each.partition(" ")[0].rpartition("/")[2] for each in found] == ["train.parquet#p1", "thumbs.parquet#t1"]


def test_what_a_search_was_run_on_is_read_as_well(objects: ObjectStore, dataset: DatasetVersion) -> None:
    # The search had another split: what is sealed now was learnt from then.
    earlier = stored(objects, [article(f"a{number}") for number in range(12)], Dataset(test_share=0.1, seed=99))
    key = SearchKey(family="llama", size_class="tiny", method="lora", tier="xs")
    found = ParameterSet(
        key=key, values={"learning_rate": 0.1}, given={}, bits_per_byte=2.0, default_bits_per_byte=None, trials=3,
        dataset=earlier.digest, base="b", code_version="1",
    )  # fmt: skip
    keep(objects, found)
    chosen = plan(Training(), parameters=1_000_000, context=1024)
    chosen = chosen.model_copy(update={"origins": {"learning_rate": f"search {found.digest[:8]}, 3 trials"}})
    objects.replace(f"hyperparameters/maya/{chosen.digest}.json", chosen.model_dump_json().encode())
    assert any(
        "is of a sealed document" in each for each in breaches(objects, dataset, parameters_digest=chosen.digest)
    )


def test_documents_that_a_model_read_are_those_of_the_splits_it_learns_from(
    objects: ObjectStore, dataset: DatasetVersion
) -> None:
    placed = json.loads(objects.get(f"{dataset.prefix}/manifest.json"))["documents"]
    assert documents_read(objects, "maya", dataset.digest) == {*placed["train"], *placed["validation"]}
    assert documents_read(objects, "maya", "f" * 64) == set()


def test_training_needs_none_of_the_sealed_files(objects: ObjectStore, dataset: DatasetVersion, tmp_path: Path) -> None:
    objects.delete([f"{dataset.prefix}/test.parquet", f"{dataset.prefix}/test_documents.parquet"])
    folder = objects.local_folder(dataset.prefix, tmp_path)
    assert read_samples(folder).train
