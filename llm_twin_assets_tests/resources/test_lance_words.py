"""What BM25 finds: identifiers by their words, other scripts, and no query that it fails on."""

import lancedb
import pyarrow as pa
import pytest

from llm_twin_assets.features.retrieve import text_query
from llm_twin_assets_tests.resources.chunks import rows
from resources.lance_store import LanceVectorStore
from resources.lance_words import SEARCHED
from resources.vector_store import Filters

TEXTS = {
    "camel": "function readConfigFile(path) {}",
    "snake": "def write_lock_file(path): ...",
    "japanese": "設定ファイルを読み込む",
    "accents": "die Größe der Häuser",
    "loom": "the jacquard loom",
}


def written(texts, category):
    every = [rows([name], category=category, document=name, indexed_text=text) for name, text in texts.items()]
    return pa.concat_tables(every)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    store = LanceVectorStore(str(tmp_path_factory.mktemp("words")))
    store.write("ada", written(TEXTS, "code"), [])
    store.write("ada", written({"prose": "of readConfigFile they say"}, "article"), [])
    store.publish("ada", "now")
    return store.open("ada", "now")


def found(index, question):
    return {hit.row["chunk_id"] for hit in index.text(text_query(question), 10, Filters())}


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("read the config file", {"camel", "snake"}),
        ("readConfigFile", {"camel", "snake", "prose"}),
        ("readconfigfile", {"camel", "prose"}),
        ("lockFile", {"snake", "camel"}),
        ("reads configs", {"camel"}),
        ("ファイル", {"japanese"}),
        ("GRÖẞE", {"accents"}),
    ],
)
def test_code_is_found_by_the_words_of_its_identifiers_and_prose_as_it_stands(index, question, names):
    assert found(index, question) == names


@pytest.mark.parametrize(
    "query",
    ['""', '"loom', '"jacquard loom"', "+loom -the AND OR NOT (", "field:loom^2~1", "[a TO b]", "*", "lo*m", "/re/",
     "\\", "'; DROP TABLE ada; --", '{"match": {}}', "loom\0loom", "\0", "🧵🪡", "\ud800", "\u202e\u200b\ufeff", "?!…",
     "\n\t", "x" * 10_000, "loom " * 2_000, "é日本" * 3_000, "aB" * 5_000, " ".join(map(str, range(5_000)))],
)  # fmt: skip
def test_no_query_is_an_error(index, query):
    for asked in (query, text_query(query)):
        assert len(index.text(asked, 10, Filters(categories=("code",)))) <= len(TEXTS)


def test_quotes_and_operators_are_no_language(index):
    assert found(index, '"jacquard loom"') == {"loom"}
    assert {hit.row["chunk_id"] for hit in index.text('"loom jacquard" NOT', 10, Filters())} == {"loom"}


def test_a_table_of_an_earlier_version_finds_code_by_words_once_it_is_published_again(tmp_path):
    plain = written(TEXTS, "code")
    table = lancedb.connect(str(tmp_path)).create_table("ada", plain)
    table.tags.create("before", table.version)
    store = LanceVectorStore(str(tmp_path))
    assert found(store.open("ada", "before"), "loom") == {"loom"}
    store.publish("ada", "after")
    assert found(store.open("ada", "after"), "config") == {"camel"}
    assert found(store.open("ada", "before"), "loom") == {"loom"}
    version = store.version("ada")
    store.publish("ada", "again")
    assert store.version("ada") == version
    assert SEARCHED not in store.rows("ada", "code").column_names
    assert store.rows("ada", "code").select(plain.column_names).sort_by("chunk_id") == plain.sort_by("chunk_id")
