import gc

import pytest

from resources.importing import without_collection


def test_garbage_is_looked_for_again_after_an_import_even_one_that_fails() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), without_collection():
        raise ImportError
    assert gc.isenabled()


def test_who_looks_for_none_is_not_made_to() -> None:
    gc.disable()
    try:
        with without_collection(), without_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
