"""The spool: what was encoded before a kill is found after it, and nothing half-written ever is."""

import numpy as np

from resources.embedding_spool import VectorSpool

VECTORS = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_what_is_added_is_found_by_another_process_until_it_is_cleared(tmp_path):
    VectorSpool(tmp_path / "a").add(["one", "two"], VECTORS)
    found = VectorSpool(tmp_path / "a").find({"two", "three"})
    assert list(found) == ["two"]
    np.testing.assert_array_equal(found["two"], VECTORS[1])
    VectorSpool(tmp_path / "a").clear()
    assert VectorSpool(tmp_path / "a").find({"one"}) == {}
    assert list((tmp_path / "a").iterdir()) == []


def test_a_torn_file_is_as_good_as_none(tmp_path):
    spool = VectorSpool(tmp_path)
    spool.add(["one", "two"], VECTORS)
    whole = next(tmp_path.glob("*.npz"))
    (tmp_path / "torn.npz").write_bytes(whole.read_bytes()[:100])
    (tmp_path / "half.part").write_bytes(b"PK")
    assert set(spool.find({"one", "two"})) == {"one", "two"}
    spool.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_spool_that_was_never_used_holds_nothing(tmp_path):
    spool = VectorSpool(tmp_path / "none")
    assert spool.find({"one"}) == {}
    spool.clear()
