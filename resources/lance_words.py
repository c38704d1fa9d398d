"""The column of a Lance table that BM25 looks in, and its index.

Lance's tokenizers cut words at everything but humps, so that "read config file" would not find `readConfigFile`. Chunks
of code are searched in a text of which identifiers' words are part; what is embedded and cited stays as it is. nDCG@10
of BM25 on functions asked for by their comments: JavaScript .55 → .78, C++ .60 → .75, Python (scikit-learn) .77 → .77.
Prose stays whole: it has names with humps, and documentation was found worse (.80 → .79).
"""

from typing import TYPE_CHECKING

import pyarrow as pa

from resources.identifiers import with_parts

if TYPE_CHECKING:
    from lancedb.table import Table

_EMBEDDED, SEARCHED = "indexed_text", "searched_text"
_NEEDED = ("chunk_id", "category", _EMBEDDED)
# A new name for every change of how words are made, so that old tables are indexed anew.
_INDEX = "words-icu-stem-parts"


def searchable(rows: pa.Table) -> pa.Table:
    """The rows with the text that BM25 looks in."""
    texts = zip(rows["category"].to_pylist(), rows[_EMBEDDED].to_pylist(), strict=True)
    made = [with_parts(text) if category == "code" and text else text for category, text in texts]
    return rows.append_column(SEARCHED, pa.array(made, pa.string()))


def searched_column(schema: pa.Schema) -> str:
    """Where BM25 has to look: a snapshot of an earlier version has no column for it."""
    return SEARCHED if SEARCHED in schema.names else _EMBEDDED


def take_up(table: "Table") -> None:
    """Give a table of an earlier version the column; whoever is killed half-way leaves code that is found as it was."""
    if SEARCHED in table.schema.names:
        return
    table.add_columns({SEARCHED: _EMBEDDED})
    code = table.search().where("category = 'code'").select(list(_NEEDED)).to_arrow()
    if code.num_rows:
        table.merge_insert("chunk_id").when_matched_update_all().execute(
            searchable(code).select(["chunk_id", SEARCHED])
        )


def index_words(table: "Table", allowed: int) -> None:
    """Index the column unless all but so many rows are covered; a former index goes."""
    from lancedb.index import FTS

    names = [index.name for index in table.list_indices() if {_EMBEDDED, SEARCHED} & set(index.columns)]
    statistics = table.index_stats(_INDEX) if _INDEX in names else None
    if statistics is None or statistics.num_unindexed_rows > allowed:
        # icu/split finds words in Japanese, Chinese and Thai, and cuts everything else as "simple" does. Stemming was
        # better on every set measured. Stop words stay in: text_query leaves them out of questions.
        words = FTS(
            with_position=False, base_tokenizer="icu/split", stem=True, remove_stop_words=False, ascii_folding=True
        )
        table.create_index(SEARCHED, config=words, name=_INDEX)
    for former in (name for name in names if name != _INDEX):
        table.drop_index(former)
