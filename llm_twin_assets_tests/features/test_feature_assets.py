"""`cleaned/*` and `embedded/*` on a tiny corpus with the real model, as Dagster runs them."""

import shutil
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, RAW_SCHEMA, cleaned_documents, to_table
from llm_twin_assets.features.assets import CLEANED_ASSETS, EMBEDDED_ASSETS
from llm_twin_assets.features.checks import FEATURE_CHECKS
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.features.retrieve import retrieve
from llm_twin_assets.partitions import AUTHORS
from resources.lance_store import LanceVectorStore
from resources.settings import Author, Settings, Source
from resources.vector_store import Filters
from resources.warehouse import Warehouse

ENGINES = """# The analytical engine

The engine weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves.

## Cards

Operation cards and variable cards are kept apart. It's the point of the whole design.

```python
def bernoulli(n):
    return n  # not yet
```
"""
BREAD = "# Sourdough\n\nFeed the starter twice a day, and bake when it floats in water.\n"
NOW = datetime(2025, 3, 4, tzinfo=UTC)
CODE = '"""Numbers."""\n\n\ndef bernoulli(n: int) -> float:\n    """The n-th Bernoulli number."""\n    return 0.5\n'


class World:
    """One author's storage and a way to run her feature assets on it."""

    def __init__(self, folder, embedder):
        self.warehouse = Warehouse(str(folder / "warehouse"))
        self.store = LanceVectorStore(str(folder / "embedded"))
        self.embedder = embedder
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(AUTHORS.name, ["ada"])

    def collect(self, *documents):
        for category in Category:
            rows = to_table([each for each in documents if each.category is category], RAW_SCHEMA)
            self.warehouse.merge(f"raw/{category.plural}", rows, "ada", complete=True)

    def run(self):
        upstream = [dg.AssetSpec(["raw", platform], partitions_def=AUTHORS) for platform in all_connectors()]
        return dg.materialize(
            [*CLEANED_ASSETS, *EMBEDDED_ASSETS, *FEATURE_CHECKS, *upstream],
            partition_key="ada",
            instance=self.instance,
            resources={
                "warehouse": self.warehouse,
                "vector_store": self.store,
                "embedder": self.embedder,
                "settings": Settings(authors={"ada": Author(name="Ada", sources=(Source(platform="files"),))}),
            },
        )

    def versions(self):
        tables = [f"cleaned/{category.plural}" for category in Category]
        return (
            [self.warehouse.version(table) for table in tables],
            self.store.version("ada"),
            self.store.snapshots("ada"),
        )


def metadata(result, *key):
    [event] = result.asset_materializations_for_node("__".join(key))
    return {name: value.value for name, value in event.metadata.items()}


def data_version(result, *key):
    [event] = result.asset_materializations_for_node("__".join(key))
    return event.tags["dagster/data_version"]


@pytest.fixture
def world(tmp_path, minilm):
    return World(tmp_path, minilm)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory, minilm, corpus):
    """The corpus run once, and where it lies: most tests begin with it."""
    folder = tmp_path_factory.mktemp("first-run")
    first = World(folder, minilm)
    first.collect(*corpus)
    return folder, first.run()


@pytest.fixture
def first(first_run):
    """What the first run said."""
    return first_run[1]


@pytest.fixture
def world_run_once(first_run, tmp_path, minilm):
    """A world of one's own, in which the corpus has been run."""
    return World(shutil.copytree(first_run[0], tmp_path / "world"), minilm)


@pytest.fixture(scope="module")
def corpus(make_raw):
    return [
        make_raw(ENGINES, name="engines"),
        make_raw(BREAD, name="bread"),
        make_raw(
            "Shipped the loom today 🎉\n\n#weaving", name="post", category=Category.POST, platform="linkedin",
            media_type="text/plain",
        ),
        make_raw(
            CODE, name="code", category=Category.CODE, platform="github", media_type="text/x-python",
            code_language="python", repository="ada/engine", path="numbers.py",
        ),
    ]  # fmt: skip


def test_every_asset_and_check_passes_and_the_author_is_found_by_a_question(first, world_run_once):
    world = world_run_once
    assert first.success
    checks = first.get_asset_check_evaluations()
    assert len(checks) == len(FEATURE_CHECKS)
    assert all(check.passed for check in checks)
    snapshot = current_snapshot("ada", world.store, world.embedder)
    assert snapshot in world.store.snapshots("ada")
    found = retrieve(
        world.store.open("ada", snapshot), world.embedder, "Which algebraic patterns does the engine weave?", 3
    )
    assert found[0].title == "The analytical engine"
    assert "Jacquard loom" in found[0].text
    shown = metadata(first, "embedded", "articles")
    assert shown["new"] == 2
    assert shown["chunks_embedded"] > 0
    assert "data:image/png;base64," in shown["tokens_per_chunk"]


def test_a_rerun_over_an_unchanged_corpus_embeds_nothing_and_writes_no_version(first, world_run_once):
    world = world_run_once
    before = world.versions()
    second = world.run()
    assert second.success
    assert world.versions() == before
    shown = metadata(second, "embedded", "articles")
    assert (shown["chunks_embedded"], shown["chunks_written"], shown["unchanged"]) == (0, 0, 2)
    assert metadata(second, "cleaned", "articles")["cleaned"] == 0
    for key in (("cleaned", "articles"), ("embedded", "posts")):
        assert data_version(second, *key) == data_version(first, *key)


def test_one_changed_document_touches_only_its_own_chunks_and_keeps_what_it_still_says(
    first, world_run_once, corpus, make_raw
):
    world = world_run_once
    released = current_snapshot("ada", world.store, world.embedder)
    changed = make_raw(BREAD.replace("twice a day", "three times a day"), name="bread")
    world.collect(corpus[0], changed, *corpus[2:])
    second = world.run()
    assert second.success
    shown = metadata(second, "embedded", "articles")
    assert (shown["changed"], shown["unchanged"], shown["chunks_embedded"]) == (1, 1, 1)
    assert data_version(second, "embedded", "articles") != data_version(first, "embedded", "articles")
    assert data_version(second, "embedded", "code") == data_version(first, "embedded", "code")
    # The released snapshot still says what it said.
    [old] = world.store.open("ada", released).text("starter", 5, Filters())
    assert "twice a day" in old.row["text"]
    [new] = world.store.open("ada").text("starter", 5, Filters())
    assert "three times a day" in new.row["text"]


def test_a_new_title_alone_publishes_another_snapshot(world_run_once, corpus, make_raw):
    world = world_run_once
    before = current_snapshot("ada", world.store, world.embedder)
    world.collect(corpus[0], make_raw(BREAD, name="bread", title="Bread, again"), *corpus[2:])
    assert world.run().success
    after = current_snapshot("ada", world.store, world.embedder)
    assert after != before
    assert {hit.row["title"] for hit in world.store.open("ada", after).text("starter", 5, Filters())} == {
        "Bread, again"
    }


def test_a_removed_document_leaves_no_chunk(world_run_once, corpus):
    world = world_run_once
    world.collect(corpus[0], *corpus[2:])
    result = world.run()
    assert result.success
    assert metadata(result, "embedded", "articles")["removed"] == 1
    assert world.store.open("ada").text("starter", 5, Filters()) == []


def test_a_duplicate_and_a_commit_are_kept_and_shown_and_are_not_embedded(world, corpus, make_raw):
    first = make_raw(f"{ENGINES}\n{BREAD}", name="both", title="Both", tags=("Looms",), published_at=NOW)
    again = make_raw(f"{ENGINES}\n{BREAD}", name="again", title="Both", published_at=NOW + timedelta(days=1))
    diff = f"    Return a half\n\ndiff --git a/numbers.py b/numbers.py\n{CODE}"
    commit = make_raw(diff, name="commit", category=Category.CODE, media_type="text/x-diff", code_language="diff")
    world.collect(first, again, commit, *corpus[2:])
    result = world.run()
    assert result.success
    assert all(check.passed for check in result.get_asset_check_evaluations())
    shown = metadata(result, "cleaned", "articles")
    assert (shown["dagster/row_count"], shown["duplicates"], shown["new"], shown["reused"]) == (2, 1, 2, 0)
    assert "/again | https://example.org/both" in shown["duplicate_documents"]
    assert metadata(result, "cleaned", "posts")["flags"] == {}
    assert metadata(result, "embedded", "articles")["duplicates_left_out"] == 1
    code = cleaned_documents(world.warehouse.read("cleaned/code", "ada"))
    assert {each.code_language: each.text for each in code} == {"python": CODE, "diff": diff}
    assert set(world.store.rows("ada", "code")["language"].to_pylist()) == {"python"}
    assert {row["document_id"] for row in world.store.rows("ada", "article").to_pylist()} == {first.document_id}
    # The original goes: its copy stands for itself, though it did not change.
    before = data_version(result, "cleaned", "articles")
    world.collect(again, *corpus[2:])
    result = world.run()
    shown = metadata(result, "cleaned", "articles")
    assert (shown["changed"], shown["removed"], shown["cleaned"], shown["duplicates"]) == (1, 1, 0, 0)
    assert data_version(result, "cleaned", "articles") != before
    assert metadata(result, "embedded", "articles")["chunks_embedded"] == 0
    assert {row["document_id"] for row in world.store.rows("ada", "article").to_pylist()} == {again.document_id}


def test_columns_are_shown_with_what_each_is_made_from(first):
    cleaned, embedded = metadata(first, "cleaned", "articles"), metadata(first, "embedded", "articles")
    for shown in (cleaned, embedded):
        columns = {column.name for column in shown["dagster/column_schema"].columns}
        assert columns == set(shown["dagster/column_lineage"].deps_by_column)
    raw, mine = dg.AssetKey(["raw", "files"]), dg.AssetKey(["cleaned", "articles"])
    made_from = cleaned["dagster/column_lineage"].deps_by_column
    assert dg.TableColumnDep(raw, "content") in made_from["text"]
    known = {name for deps in made_from.values() for name in (dep.column_name for dep in deps)}
    assert known <= set(RAW_SCHEMA.names)
    made_from = embedded["dagster/column_lineage"].deps_by_column
    assert dg.TableColumnDep(mine, "text") in made_from["vector"]
    known = {name for deps in made_from.values() for name in (dep.column_name for dep in deps)}
    assert known <= set(CLEANED_SCHEMA.names)


def test_a_reverted_document_brings_back_the_snapshot_of_the_same_name(world_run_once, corpus, make_raw):
    world = world_run_once
    before = current_snapshot("ada", world.store, world.embedder)
    world.collect(corpus[0], make_raw(BREAD + "\nMore.\n", name="bread"), *corpus[2:])
    world.run()
    world.collect(*corpus)
    assert world.run().success
    assert current_snapshot("ada", world.store, world.embedder) == before


def test_an_author_without_documents_succeeds_with_zero_counts(world):
    result = world.run()
    assert result.success
    shown = metadata(result, "embedded", "code")
    assert (shown["dagster/row_count"], shown["snapshot"]) == (0, "none")
    assert metadata(result, "cleaned", "posts")["dagster/row_count"] == 0


def test_a_document_that_cannot_be_cleaned_is_quarantined_and_the_others_go_on(world, corpus, make_raw):
    empty = make_raw("<p><img src='x.png'></p>", name="empty", platform="medium", media_type="text/html")
    world.collect(*corpus, empty)
    result = world.run()
    assert result.success
    shown = metadata(result, "cleaned", "articles")
    assert (shown["quarantined"], shown["dagster/row_count"]) == (1, 2)
    assert "nothing is left" in shown["quarantine"]
    assert all(check.passed for check in result.get_asset_check_evaluations())
