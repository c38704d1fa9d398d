"""Delta tables: MERGE by what differs, authors apart, time travel."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.errors import StorageError
from resources.warehouse import MergeCounts, Warehouse


def rows(author, **hashes):
    return pa.table(
        {
            "document_id": list(hashes),
            "author": [author] * len(hashes),
            "content_hash": [value.partition(" ")[0] for value in hashes.values()],
            "maker": [value.partition(" ")[2] for value in hashes.values()],
        },
        schema=pa.schema([(name, pa.string()) for name in ("document_id", "author", "content_hash", "maker")]),
    )


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(str(tmp_path / "warehouse"))


def stored(warehouse, author, **how):
    return {row["document_id"]: row["content_hash"] for row in warehouse.read("t", author, **how).to_pylist()}


def test_a_merge_counts_what_is_new_changed_unchanged_and_removed(warehouse):
    assert warehouse.merge("t", rows("ada", a="1", b="1", c="1"), "ada") == MergeCounts(new=3)
    counts = warehouse.merge("t", rows("ada", a="1", b="2", d="1"), "ada", complete=True)
    assert counts == MergeCounts(new=1, changed=1, unchanged=1, removed=1)
    assert stored(warehouse, "ada") == {"a": "1", "b": "2", "d": "1"}


def test_a_merge_that_is_not_complete_removes_nothing(warehouse):
    warehouse.merge("t", rows("ada", a="1", b="1"), "ada")
    assert warehouse.merge("t", rows("ada", a="1"), "ada") == MergeCounts(unchanged=1)
    assert stored(warehouse, "ada") == {"a": "1", "b": "1"}


def test_unchanged_rows_commit_nothing(warehouse):
    warehouse.merge("t", rows("ada", a="1"), "ada")
    version = warehouse.version("t")
    warehouse.merge("t", rows("ada", a="1 other"), "ada", complete=True)
    assert warehouse.version("t") == version


def test_further_columns_may_decide_whether_a_row_changed(warehouse):
    warehouse.merge("t", rows("ada", a="1 old", b="1 old"), "ada")
    counts = warehouse.merge("t", rows("ada", a="1 new", b="1 old"), "ada", compared=("content_hash", "maker"))
    assert counts == MergeCounts(changed=1, unchanged=1)
    assert {row["maker"] for row in warehouse.read("t", "ada").to_pylist()} == {"old", "new"}


def test_lists_and_what_is_null_are_compared_too_also_in_a_table_of_an_earlier_version(warehouse):
    def marked(**marks):
        plain = rows("ada", **dict.fromkeys(marks, "1"))
        tags = pa.array([each[0] for each in marks.values()], pa.list_(pa.string()))
        return plain.append_column("tags", tags).append_column(
            "copy", pa.array([each[1] for each in marks.values()], pa.string())
        )

    how = {"complete": True, "compared": ("content_hash", "tags", "copy")}
    warehouse.merge("t", rows("ada", a="1", b="1"), "ada")
    first = marked(a=(["x"], None), b=(None, None))
    assert warehouse.merge("t", first, "ada", **how) == MergeCounts(changed=1, unchanged=1)
    assert warehouse.merge("t", first, "ada", **how) == MergeCounts(unchanged=2)
    changed = marked(a=(["x"], "b"), b=([], None))
    assert warehouse.merge("t", changed, "ada", **how) == MergeCounts(changed=2)
    assert {row["document_id"]: (row["tags"], row["copy"]) for row in warehouse.read("t", "ada").to_pylist()} == {
        "a": (["x"], "b"),
        "b": ([], None),
    }


def test_authors_do_not_touch_each_other(warehouse):
    warehouse.merge("t", rows("ada", a="1"), "ada")
    warehouse.merge("t", rows("o'neil", a="2"), "o'neil")
    warehouse.merge("t", rows("ada"), "ada", complete=True)
    assert stored(warehouse, "ada") == {}
    assert stored(warehouse, "o'neil") == {"a": "2"}


def test_an_earlier_version_can_be_read(warehouse):
    warehouse.merge("t", rows("ada", a="1"), "ada")
    before = warehouse.version("t")
    warehouse.merge("t", rows("ada", a="2"), "ada")
    assert stored(warehouse, "ada", version=before) == {"a": "1"}


def test_a_table_that_is_not_there_is_empty_and_one_that_is_broken_is_an_error(warehouse, tmp_path):
    assert warehouse.read("t", "ada").num_rows == 0
    assert warehouse.version("t") is None
    warehouse.merge("t", rows("ada", a="1"), "ada")
    for log in (tmp_path / "warehouse" / "t" / "_delta_log").glob("*.json"):
        log.write_text("not json")
    with pytest.raises(StorageError):
        warehouse.read("t", "ada")


def anywhere(folder, what):
    """Whether some file below a folder holds a word, in what Parquet has compressed, too."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and what in (path.read_bytes() + (str(pq.read_table(path)).encode() if path.suffix == ".parquet" else b""))
    ]


def test_what_is_deleted_and_purged_is_in_no_file_and_no_version(warehouse, tmp_path):
    warehouse.upsert("t", rows("ada", a="canary treadle", b="1 kept"), "ada")
    warehouse.upsert("t", rows("ada", a="canary heddle"), "ada")
    warehouse.upsert("t", rows("noor", a="canary hers"), "noor")
    assert warehouse.delete("t", "ada", "document_id", ["a", "it's none"]) == 1
    assert warehouse.delete("t", "ada", "document_id", ["a"]) == warehouse.delete("t", "ada", "document_id", []) == 0
    assert anywhere(tmp_path, b"heddle"), "time travel still shows it"

    for _ in range(2):
        warehouse.purge("t")
        assert stored(warehouse, "ada") == {"b": "1"}
        assert stored(warehouse, "noor") == {"a": "canary"}
        assert not anywhere(tmp_path, b"treadle")
        assert not anywhere(tmp_path, b"heddle")
        assert anywhere(tmp_path, b"hers")
    with pytest.raises(StorageError):
        stored(warehouse, "ada", version=1)

    # From here on the past is kept again.
    warehouse.upsert("t", rows("ada", b="2 changed"), "ada")
    assert stored(warehouse, "ada", version=warehouse.version("t") - 1) == {"b": "1"}


def test_a_table_that_is_not_there_has_nothing_to_forget(warehouse):
    assert warehouse.delete("none", "ada", "document_id", ["a"]) == 0
    warehouse.purge("none")
    assert warehouse.version("none") is None
