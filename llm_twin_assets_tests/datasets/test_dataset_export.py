import json
from pathlib import Path

import pytest

from llm_twin_assets.datasets.export import ExportFormat, export
from llm_twin_assets.datasets.version import DatasetVersion, samples_of
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.datasets.made import article, stored
from resources.errors import StorageError
from resources.object_store import ObjectStore
from resources.settings import Dataset


@pytest.fixture
def version(objects: ObjectStore) -> DatasetVersion:
    return stored(objects, [article(f"a{number}") for number in range(12)], Dataset())


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("messages", {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}),
        ("alpaca", {"instruction": "Q", "input": "", "output": "A"}),
        ("sharegpt", {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}),
    ],
)
def test_every_sample_is_a_line_in_the_form_asked_for(
    objects: ObjectStore, version: DatasetVersion, tmp_path: Path, form: ExportFormat, line: dict[str, object]
) -> None:
    counts = export(objects, version, form, (Split.TRAIN, Split.VALIDATION), tmp_path / "out")
    assert [path.name for path in counts] == ["train.jsonl", "validation.jsonl"]
    rows = samples_of(objects, version, Split.TRAIN).to_pylist()
    found = lines(tmp_path / "out" / "train.jsonl")
    expected = json.dumps(line)
    assert found == [
        json.loads(expected.replace('"Q"', json.dumps(row["instruction"])).replace('"A"', json.dumps(row["answer"])))
        for row in rows
    ]
    assert counts[tmp_path / "out" / "train.jsonl"] == len(rows)


def test_what_is_exported_loads_as_a_dataset(objects: ObjectStore, version: DatasetVersion, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    export(objects, version, "messages", (Split.TRAIN,), tmp_path / "out")
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "out" / "train.jsonl"), cache_dir=str(tmp_path / "cache")
    )
    assert [message["role"] for message in loaded["train"][0]["messages"]] == ["user", "assistant"]


def test_the_sealed_split_is_written_only_where_it_is_named(
    objects: ObjectStore, version: DatasetVersion, tmp_path: Path
) -> None:
    export(objects, version, "alpaca", (Split.TRAIN,), tmp_path)
    assert not (tmp_path / "test.jsonl").exists()


def test_a_place_that_cannot_be_written_is_named(objects: ObjectStore, version: DatasetVersion, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="file: cannot be written"):
        export(objects, version, "alpaca", (Split.TRAIN,), tmp_path / "file")
