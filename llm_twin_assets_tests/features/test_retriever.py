"""A search whose parts fail goes on without them and says so."""

import threading
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from llm_twin_assets.features.query_rewriting import Rewritten
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.features.retriever import retriever_of
from llm_twin_assets_tests.features.test_retrieve import Letters, LongestFirst, Recorded
from resources.errors import EmbeddingError
from resources.llm_errors import LlmError
from resources.llm_settings import RewritingModel
from resources.settings import Rerank, Retrieval, Rewriting


class Broken:
    """Every part of a search at once, none of which works."""

    def __init__(self, error):
        self.error = error

    def __call__(self, question):
        raise self.error

    def scores(self, question, texts):
        raise self.error

    def encode(self, texts):
        raise self.error


def test_a_search_that_lacks_nothing_says_nothing():
    found = Retriever(Recorded(), Letters(), cross_encoder=LongestFirst(), rewriter=lambda q: Rewritten((q,), q))
    assert found.find("x looms", 2).lacking == ()


class Watching:
    """Who watches a search: what each step was given, and told."""

    def __init__(self):
        self.seen = []

    def step(self, name, *given):
        @contextmanager
        def entered():
            told = []
            try:
                yield told.append
            finally:
                self.seen.append((name, given, told))

        return entered()

    def __getattr__(self, name):
        return partial(self.step, name)


def test_each_step_of_a_search_is_told_of():
    watching = Watching()
    whole = Retriever(Recorded(), Letters(), cross_encoder=LongestFirst(), rewriter=lambda q: Rewritten((q,), "looms"))
    found = whole.find("x", 1, steps=watching)
    rewrite, embed, retrieve, rerank = watching.seen
    assert rewrite == ("rewrite", ("x",), ["looms"])
    assert (embed[0], list(embed[1][0]), [each.tolist() for each in embed[2]]) == ("embed", ["x"], [[1.0, 0.0]])
    assert retrieve[:2] == ("retrieve", ("looms",))
    [candidates] = retrieve[2]
    assert len(candidates) > 1
    assert rerank[:2] == ("rerank", ("x", candidates))
    assert [tuple(each) for each in rerank[2]] == [found.chunks]


def test_a_step_that_fails_tells_nothing():
    watching = Watching()
    broken = Broken(LlmError("gone"))
    found = Retriever(Recorded(), Letters(), cross_encoder=LongestFirst(), rewriter=broken).find("x", 1, steps=watching)
    assert [(name, len(told)) for name, _, told in watching.seen] == [
        ("rewrite", 0),
        ("embed", 1),
        ("retrieve", 1),
        ("rerank", 1),
    ]
    assert found.chunks


def test_without_a_cross_encoder_what_is_retrieved_is_what_is_found():
    watching = Watching()
    found = Retriever(Recorded(), Letters()).find("x", 1, steps=watching)
    assert [name for name, *_ in watching.seen] == ["embed", "retrieve"]
    assert [tuple(each) for each in watching.seen[1][2]] == [found.chunks]


def test_a_rewriter_that_fails_leaves_the_question_as_it_was_asked():
    index = Recorded()
    retrieved = Retriever(index, Letters(), rewriter=Broken(LlmError("the chat model is gone"))).find("x looms", 2)
    assert sorted(index.asked) == [("dense", [1.0, 0.0]), ("text", "x looms")]
    assert retrieved.lacking == ("query rewriting failed",)
    assert len(retrieved.chunks) == 2


@pytest.mark.parametrize("error", [EmbeddingError("no model"), RuntimeError("no model")])
def test_a_cross_encoder_that_fails_leaves_the_fused_order(error):
    plain = Retriever(Recorded(), Letters()).find("x", 2)
    retrieved = Retriever(Recorded(), Letters(), cross_encoder=Broken(error)).find("x", 2)
    assert retrieved.chunks == plain.chunks
    assert retrieved.lacking == ("reranking failed",)


def test_scores_that_are_no_numbers_are_a_failure_too(caplog: pytest.LogCaptureFixture):
    class NotANumber:
        def scores(self, question, texts):
            return np.full(len(texts), np.nan, dtype=np.float32)

    retrieved = Retriever(Recorded(), Letters(), cross_encoder=NotANumber()).find("x", 2)
    assert retrieved.lacking == ("reranking failed",)
    assert "not one finite number" in caplog.text
    assert len(retrieved.chunks) == 2


def test_without_the_embedding_model_words_alone_are_searched_for():
    broken = Broken(EmbeddingError("no model"))
    retrieved = Retriever(Recorded(), broken).find("x looms", 2)
    assert [each.chunk_id for each in retrieved.chunks] == ["b", "a"]
    assert retrieved.lacking == ("search by meaning failed",)
    with pytest.raises(EmbeddingError):
        Retriever(Recorded(), broken, Retrieval(text_weight=0.0)).find("x looms", 2)


def test_a_configured_cross_encoder_that_is_missing_is_looked_for_once(tmp_path):
    how = Retrieval(rerank=Rerank(model=str(tmp_path / "none")))
    retriever = retriever_of(Recorded(), Letters(), how)
    assert retriever.cross_encoder is None
    for _ in range(2):
        retrieved = retriever.find("x looms", 2)
        assert len(retrieved.chunks) == 2
        assert retrieved.lacking[0].startswith("reranking is off: the cross-encoder")


def test_configuration_says_what_a_retriever_is_made_of():
    nobody = RewritingModel(url="http://127.0.0.1:9", model="small", patience={"timeout": 1})
    how = Retrieval(rewriting=Rewriting(method="expand", llm=nobody), per_document=1)
    retriever = retriever_of(Recorded(), Letters(), how)
    assert retriever.how is how
    assert retriever.find("x looms", 2).lacking == ("query rewriting failed",)
    assert retriever_of(Recorded(), Letters(), Retrieval()).rewriter is None


class English(Letters):
    """Knows words of Latin letters and no others."""

    def familiarity(self, text):
        return 1.0 if text.isascii() else 0.0


def test_words_decide_where_the_model_cannot_read_the_question():
    order = {
        question: [each.chunk_id for each in Retriever(Recorded(), English()).find(question, 2).chunks]
        for question in ("x loom", "x \u7e54\u6a5f")
    }
    assert order == {"x loom": ["a", "b"], "x \u7e54\u6a5f": ["b", "a"]}
    meaning_alone = Retriever(Recorded(), English(), Retrieval(text_weight=0.0)).find("x \u7e54\u6a5f", 2)
    assert [each.chunk_id for each in meaning_alone.chunks] == ["a", "b"]


def test_words_are_looked_for_while_the_model_reads_the_question():
    looked = threading.Event()

    class Telling(Recorded):
        def text(self, query, k, filters):
            looked.set()
            return super().text(query, k, filters)

    class Waiting(Letters):
        def encode(self, texts):
            assert looked.wait(10)
            return super().encode(texts)

    assert len(Retriever(Telling(), Waiting()).find("x looms", 2).chunks) == 2
