"""The checks find what they are for."""

import numpy as np
import pyarrow as pa
import pytest

from llm_twin_assets.features import soundness
from llm_twin_assets.features.embed import embed


class Model:
    digest = "model"
    dimension = 2
    max_tokens = 64

    def encode(self, texts):
        return np.tile(np.array([0.6, 0.8], dtype=np.float32), (len(texts), 1))

    def token_count(self, text):
        return len(text.split()) + 2


@pytest.fixture
def documents(make_cleaned):
    return [make_cleaned(f"Words of {name}. " * 30, name=name) for name in ("a", "b")]


@pytest.fixture
def rows(documents):
    return embed(documents, Model(), 50, lambda keys: {}).rows


def replaced(rows, column, values):
    index = rows.schema.get_field_index(column)
    return rows.set_column(index, rows.schema.field(column), pa.array(values, rows.schema.field(column).type))


def test_a_sound_index_has_nothing_wrong(rows, documents):
    assert not any(soundness.not_as_documents(rows, documents, "model", 50).values())
    assert soundness.bad_vectors(rows, 2) == []
    assert soundness.foreign_vectors(rows, "model") == []


def test_each_difference_between_index_and_documents_is_named(rows, documents, make_cleaned):
    first, second = documents
    third = make_cleaned("More.", name="c")
    wrong = soundness.not_as_documents(rows, [first, third], "model", 50)
    assert (wrong["missing"], wrong["superfluous"]) == ([third.document_id], [second.document_id])
    assert soundness.not_as_documents(rows, documents, "other", 50)["outdated"] == sorted(
        each.document_id for each in documents
    )
    assert soundness.not_as_documents(rows.slice(1), documents, "model", 50)["not covered"] == [first.document_id]


@pytest.mark.parametrize("vector", [[0.6, 0.9], [float("nan"), 1.0], [0.0, 0.0]])
def test_a_vector_that_is_not_of_unit_length_is_found(rows, vector):
    vectors = [vector, *rows["vector"].to_pylist()[1:]]
    assert soundness.bad_vectors(replaced(rows, "vector", vectors), 2) == [rows["chunk_id"][0].as_py()]
    assert len(soundness.bad_vectors(rows, 3)) == rows.num_rows


def test_a_vector_of_another_model_or_text_is_found(rows):
    assert len(soundness.foreign_vectors(rows, "other")) == rows.num_rows
    texts = ["changed", *rows["indexed_text"].to_pylist()[1:]]
    assert soundness.foreign_vectors(replaced(rows, "indexed_text", texts), "model") == [rows["chunk_id"][0].as_py()]


def test_a_raw_document_is_lost_only_if_it_could_have_been_cleaned(make_raw):
    good, bad = make_raw("Words.", name="good"), make_raw(" ", name="bad")
    lost, quarantined = soundness.lost([good, bad], [])
    assert lost == [good.document_id]
    assert quarantined == ["https://example.org/bad: nothing is left after cleaning"]


def test_duplicates_and_empty_texts_are_named(make_cleaned):
    assert soundness.duplicates(["a", "b", "a"]) == ["a"]
    empty = make_cleaned(" ")
    assert soundness.empty_texts([empty, make_cleaned("x")]) == [empty.document_id]
