"""Whatever is done to records afterwards shows."""

import json
from pathlib import Path

import pytest

from llm_twin_assets.domain.chain import GENESIS, TamperedError, current, numbered, read_chain
from llm_twin_assets.domain.release import Chained
from llm_twin_assets.release.records import append, switch
from resources.object_store import ObjectStore

PREFIX = "notes/maya"


class Note(Chained):
    """A record of no consequence."""

    text: str


def write(objects: ObjectStore, text: str) -> Note:
    written = append(objects, PREFIX, lambda number: Note(author="maya", sequence=number, text=text))
    switch(objects, PREFIX, written)
    return written


@pytest.fixture
def written(objects: ObjectStore) -> ObjectStore:
    for text in ("one", "two", "three"):
        write(objects, text)
    return objects


def file(objects: ObjectStore, sequence: int) -> Path:
    return Path(objects.root, numbered(PREFIX, sequence))


def rewrite(objects: ObjectStore, sequence: int, **change: object) -> None:
    path = file(objects, sequence)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_records_come_back_in_order_and_each_follows_from_the_one_before(written: ObjectStore) -> None:
    links = read_chain(written, PREFIX, lag=0)
    notes = [Note.model_validate_json(link.content) for link in links]
    assert [note.text for note in notes] == ["one", "two", "three"]
    assert [note.previous for note in notes] == [GENESIS, links[0].digest, links[1].digest]


def test_an_empty_chain_is_one(objects: ObjectStore) -> None:
    assert read_chain(objects, PREFIX, lag=0) == []


@pytest.mark.parametrize("sequence", [1, 2])
def test_a_changed_record_shows(written: ObjectStore, sequence: int) -> None:
    rewrite(written, sequence, text="forged")
    with pytest.raises(TamperedError, match=f"{sequence + 1:06d}.json: does not follow from those before it"):
        read_chain(written, PREFIX)


def test_a_changed_last_record_shows(written: ObjectStore) -> None:
    rewrite(written, 3, text="forged")
    with pytest.raises(TamperedError, match=r"current.json: is not record 3"):
        read_chain(written, PREFIX)


def test_one_more_blank_shows(written: ObjectStore) -> None:
    file(written, 1).write_bytes(file(written, 1).read_bytes() + b" ")
    with pytest.raises(TamperedError):
        read_chain(written, PREFIX)


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_a_deleted_record_shows(written: ObjectStore, sequence: int) -> None:
    file(written, sequence).unlink()
    with pytest.raises(TamperedError, match=f"{sequence:06d}.json: is missing"):
        read_chain(written, PREFIX)


def test_a_deleted_record_that_others_move_up_for_shows(written: ObjectStore) -> None:
    file(written, 3).rename(file(written, 2))
    with pytest.raises(TamperedError, match=r"000002.json: is record 3 of 'maya'"):
        read_chain(written, PREFIX)


def test_records_in_another_order_show(written: ObjectStore) -> None:
    first, second = file(written, 1).read_bytes(), file(written, 2).read_bytes()
    file(written, 1).write_bytes(second)
    file(written, 2).write_bytes(first)
    with pytest.raises(TamperedError, match=r"000001.json: is record 2"):
        read_chain(written, PREFIX)


def test_records_in_another_order_with_numbers_to_match_show(written: ObjectStore) -> None:
    first, second = (json.loads(file(written, number).read_text()) for number in (1, 2))
    file(written, 1).write_text(json.dumps(second | {"sequence": 1}))
    file(written, 2).write_text(json.dumps(first | {"sequence": 2}))
    with pytest.raises(TamperedError):
        read_chain(written, PREFIX)


def test_a_record_of_another_author_shows(written: ObjectStore) -> None:
    rewrite(written, 1, author="ben")
    with pytest.raises(TamperedError, match="is record 1 of 'ben'"):
        read_chain(written, PREFIX)


def test_a_forged_record_at_the_end_shows(written: ObjectStore) -> None:
    forged = Note(author="maya", sequence=4, previous="f" * 64, text="forged")
    written.put_new(numbered(PREFIX, 4), forged.model_dump_json().encode())
    with pytest.raises(TamperedError, match=r"000004.json: does not follow"):
        read_chain(written, PREFIX)


def test_a_record_without_a_seal_after_sealed_ones_shows(written: ObjectStore) -> None:
    written.put_new(numbered(PREFIX, 4), b'{"author": "maya", "sequence": 4, "text": "as of old"}')
    with pytest.raises(TamperedError, match=r"000004.json: does not follow"):
        read_chain(written, PREFIX)


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b"\xff"])
def test_a_torn_record_shows(written: ObjectStore, content: bytes) -> None:
    file(written, 2).write_bytes(content)
    with pytest.raises(TamperedError, match=r"000002.json: cannot be read"):
        read_chain(written, PREFIX)


def test_a_chain_cut_short_together_with_its_copy_shows_where_the_copy_may_not_lag(written: ObjectStore) -> None:
    Path(written.root, current(PREFIX)).unlink()
    with pytest.raises(TamperedError, match="is at record 0 of 3"):
        read_chain(written, PREFIX, lag=1)


def test_a_writer_that_was_killed_before_the_copy_is_no_tampering(written: ObjectStore) -> None:
    append(written, PREFIX, lambda number: Note(author="maya", sequence=number, text="four"))
    assert len(read_chain(written, PREFIX, lag=1)) == 4
    write(written, "five")
    assert len(read_chain(written, PREFIX, lag=0)) == 5


def test_records_from_before_there_were_chains_are_sealed_by_the_first_that_follows(objects: ObjectStore) -> None:
    for number in (1, 2):
        old = Note(author="maya", sequence=number, text="old").model_dump_json(exclude={"previous"})
        objects.put_new(numbered(PREFIX, number), old.encode())
    assert len(read_chain(objects, PREFIX, lag=1)) == 2
    write(objects, "new")
    assert len(read_chain(objects, PREFIX, lag=1)) == 3
    rewrite(objects, 1, text="forged")
    with pytest.raises(TamperedError, match=r"000003.json: does not follow"):
        read_chain(objects, PREFIX)


def test_a_copy_never_goes_back(written: ObjectStore) -> None:
    second = Note.model_validate_json(file(written, 2).read_bytes())
    assert not switch(written, PREFIX, second)
    assert json.loads(written.get(current(PREFIX)))["sequence"] == 3
