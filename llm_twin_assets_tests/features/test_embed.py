"""The plan of an embedding run, and what it reuses."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from llm_twin_assets.features.embed import embed, plan
from llm_twin_assets.features.index_rows import contents_digest, document_hash, snapshot_name
from resources.embedding_spool import VectorSpool
from resources.errors import ConfigurationError, EmbeddingError


class Counting:
    """A model of two dimensions that remembers what it was asked to encode."""

    digest = "model"
    dimension = 2
    max_tokens = 64

    def __init__(self):
        self.encoded = []

    def encode(self, texts):
        self.encoded += texts
        return np.tile(np.array([0.6, 0.8], dtype=np.float32), (len(texts), 1))

    def token_count(self, text):
        return len(text.split()) + 2


def test_the_plan_tells_new_changed_unchanged_and_removed(make_cleaned):
    same, other, new = make_cleaned("a", name="a"), make_cleaned("b", name="b"), make_cleaned("c", name="c")
    indexed = {same.document_id: document_hash(same, "m", 50), other.document_id: "old", "gone": "x"}
    todo = plan([same, other, new], indexed, "m", 50)
    assert (todo.new, todo.changed, todo.unchanged, todo.removed) == ((new,), (other,), 1, ("gone",))
    assert set(todo.replaced) == {other.document_id, "gone"}


def test_the_hash_of_a_document_changes_with_all_that_its_rows_are_made_from(make_cleaned):
    document = make_cleaned("text")
    changes = {
        "title": "t", "url": "u", "published_at": None, "content_hash": "c", "path": "p", "language": "de",
        "tags": ("loom",),
    }  # fmt: skip
    variants = [dataclasses.replace(document, **{name: value}) for name, value in changes.items()]
    hashes = {document_hash(each, "m", 50) for each in [document, *variants]}
    hashes |= {document_hash(document, "other model", 50), document_hash(document, "m", 51)}
    assert len(hashes) == len(changes) + 3
    assert document_hash(document, "m", 50) == document_hash(dataclasses.replace(document, cleaner="new"), "m", 50)


def test_a_text_is_encoded_once_and_never_if_its_vector_is_known(make_cleaned):
    documents = [make_cleaned("Same words.", name=name) for name in ("a", "b")]
    model = Counting()
    first = embed(documents, model, 50, lambda keys: {})
    assert (first.chunks, first.encoded, first.reused) == (2, 1, 1)
    known = dict(zip(first.rows["embedding_key"].to_pylist(), first.rows["vector"].to_pylist(), strict=True))
    again = embed(documents, model, 50, lambda keys: {key: known[key] for key in keys})
    assert again.encoded == 0
    assert again.rows.equals(first.rows)
    assert model.encoded == ["On engines\n\nSame words."]


def test_rows_say_what_a_search_may_be_narrowed_to(make_cleaned):
    prose = dataclasses.replace(make_cleaned("Words.", name="a"), language="de", tags=("Looms", "cards", "looms"))
    code = dataclasses.replace(make_cleaned("x = 1", name="b"), language=None, code_language="python")
    rows = embed([prose, code], Counting(), 50, lambda keys: {}).rows
    assert rows["language"].to_pylist() == ["de", "python"]
    assert rows["tags"].to_pylist() == [["cards", "looms"], []]


def test_a_changed_tag_writes_a_document_anew_and_encodes_nothing(make_cleaned):
    before, model = make_cleaned("Words."), Counting()
    rows = embed([before], model, 50, lambda keys: {}).rows
    known = dict(zip(rows["embedding_key"].to_pylist(), rows["vector"].to_pylist(), strict=True))
    indexed = dict(zip(rows["document_id"].to_pylist(), rows["document_hash"].to_pylist(), strict=True))
    todo = plan([dataclasses.replace(before, tags=("loom",))], indexed, model.digest, 50)
    again = embed(todo.changed, model, 50, lambda keys: {key: known[key] for key in keys})
    assert (again.chunks, again.encoded, again.rows["tags"].to_pylist()) == (1, 0, [["loom"]])


def test_progress_ends_at_the_total(make_cleaned):
    said = []
    text = "\n\n".join(f"Paragraph {n} " + "word " * 40 for n in range(300))
    done = embed([make_cleaned(text)], Counting(), 50, lambda keys: {}, lambda *each: said.append(each))
    assert len(said) > 1
    assert said[-1] == (done.encoded, done.encoded)


def test_chunks_longer_than_the_model_reads_are_a_configuration_error(make_cleaned):
    with pytest.raises(ConfigurationError, match="64 tokens at most"):
        embed([make_cleaned("a")], Counting(), 65, lambda keys: {})


def test_the_snapshot_is_named_by_its_contents_whatever_their_order():
    contents = pa.table({"chunk_id": ["a", "b"], "document_hash": ["x", "y"], "category": ["article", "post"]})
    assert snapshot_name(contents, "m") == snapshot_name(contents.take([1, 0]), "m")
    assert snapshot_name(contents, "m") != snapshot_name(contents, "n")
    assert len(snapshot_name(contents, "m")) == len("snapshot-") + 12
    assert contents_digest(contents, "article") != contents_digest(contents, "post")


class Killed(BaseException):
    """The end of a process, as far as a test can have it."""


class Mortal(Counting):
    def __init__(self, slices):
        super().__init__()
        self._left = slices

    def encode(self, texts):
        if not self._left:
            raise Killed
        self._left -= 1
        return super().encode(texts)


def test_a_run_that_was_killed_is_gone_on_with(make_cleaned, tmp_path):
    text = "\n\n".join(f"Paragraph {n} " + "word " * 40 for n in range(600))
    documents, spool = [make_cleaned(text)], VectorSpool(tmp_path)
    killed, next_one = Mortal(1), Counting()
    with pytest.raises(Killed):
        embed(documents, killed, 50, lambda keys: {}, spool=spool)
    done = embed(documents, next_one, 50, lambda keys: {}, spool=spool)
    assert killed.encoded
    assert set(killed.encoded).isdisjoint(next_one.encoded)
    assert len(killed.encoded) + len(next_one.encoded) == done.chunks
    assert done.encoded == len(next_one.encoded)
    whole = embed(documents, Counting(), 50, lambda keys: {})
    assert done.rows.equals(whole.rows)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda n: np.full((n, 2), np.nan, dtype=np.float32), "NaN"),
        (lambda n: np.ones((n, 3), dtype=np.float32), r"not \(1, 2\)"),
        (lambda n: np.ones((n + 1, 2), dtype=np.float32), r"not \(1, 2\)"),
    ],
)
def test_what_a_model_must_not_make_goes_neither_to_rows_nor_to_the_spool(make_cleaned, tmp_path, made, message):
    model = Counting()
    model.encode = lambda texts: made(len(texts))
    with pytest.raises(EmbeddingError, match=message):
        embed([make_cleaned("Words.")], model, 50, lambda keys: {}, spool=VectorSpool(tmp_path))
    assert list(tmp_path.iterdir()) == []
