from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resources import object_store
from resources.errors import StorageError
from resources.object_store import ObjectStore


def test_what_is_put_comes_back(objects: ObjectStore) -> None:
    assert objects.put_new("a/b.json", b"1")
    assert objects.get("a/b.json") == b"1"


def test_an_object_is_never_overwritten_by_put_new(objects: ObjectStore) -> None:
    objects.put_new("a/b.json", b"1")
    assert not objects.put_new("a/b.json", b"2")
    assert objects.get("a/b.json") == b"1"


def test_of_many_writers_of_one_object_exactly_one_wins(objects: ObjectStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: objects.put_new("one", str(number).encode()), range(32)))
    assert won.count(True) == 1
    assert objects.get("one") == str(won.index(True)).encode()


def test_a_reader_never_sees_a_mixture(objects: ObjectStore) -> None:
    old, new = b"a" * 300_000, b"b" * 300_000
    objects.replace("pointer", old)
    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(lambda: [objects.replace("pointer", content) for content in [new, old] * 20])
        seen = {objects.get("pointer") for _ in range(60)}
        writer.result()
    assert seen <= {old, new}


def test_a_missing_object_is_named(objects: ObjectStore) -> None:
    assert objects.find("nope") is None
    with pytest.raises(StorageError, match="objects/nope: there is no such object"):
        objects.get("nope")


def test_listing_is_in_order_and_below_the_prefix_alone(objects: ObjectStore) -> None:
    for path in ("x/2", "x/1", "xy/3", "y/4"):
        objects.put_new(path, b"")
    assert list(objects.list("x")) == ["x/1", "x/2"]
    assert list(objects.list("nothing")) == []


def test_a_folder_goes_in_and_comes_out_whole(objects: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "inner").mkdir(parents=True)
    (source / "config.json").write_text("{}")
    (source / "inner" / "weights").write_bytes(b"\x00\x01")
    objects.put_folder("models/maya/1", source)
    local = objects.local_folder("models/maya/1", tmp_path / "scratch")
    assert (local / "inner" / "weights").read_bytes() == b"\x00\x01"


def test_a_file_of_many_parts_goes_in_whole_and_is_never_overwritten(objects: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.mkdir()
    weights = bytes(range(256)) * (2 * object_store._PART // 256) + b"\x01"
    (source / "weights").write_bytes(weights)
    objects.put_folder("models/maya/2", source)
    (source / "weights").write_bytes(bytes(len(weights)))
    objects.put_folder("models/maya/2", source)

    assert objects.get("models/maya/2/weights") == weights


def test_an_object_is_swapped_only_if_it_is_what_is_expected(objects: ObjectStore) -> None:
    assert objects.swap("a/pointer", None, b"1")
    assert not objects.swap("a/pointer", None, b"2")
    assert not objects.swap("a/pointer", b"0", b"2")
    assert objects.swap("a/pointer", b"1", b"2")
    assert objects.get("a/pointer") == b"2"
    assert not objects.swap("nowhere/pointer", b"1", b"2")


def test_of_many_that_swap_the_same_object_exactly_one_wins(objects: ObjectStore) -> None:
    objects.put_new("pointer", b"old")
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: objects.swap("pointer", b"old", str(number).encode()), range(32)))
    assert won.count(True) == 1
    assert objects.get("pointer") == str(won.index(True)).encode()
