import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest

from llm_twin_assets.collection.assets import RAW_ASSETS, RAW_KEYS
from llm_twin_assets.collection.connectors import all_connectors
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.documents import Origin, Scrubbing, raw_document
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.tables import raw_documents
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets_tests.collection.conftest import NOW
from llm_twin_assets_tests.collection.scripted import article
from resources.settings import Environment, Settings

TABLES = ("raw/articles", "raw/posts", "raw/code")


@pytest.fixture
def run(tmp_path, warehouse):
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("author", ["maya"])
    assert AUTHORS.name == "author"

    def materialize(platform: str, sources: str) -> dg.ExecuteInProcessResult:
        config = tmp_path / "twin.yaml"
        config.write_text(f"authors:\n  maya:\n    name: Maya Lindqvist\n    sources:\n{sources}")
        environment = Environment(home=str(tmp_path), config=config, service_url="", phoenix_url="")
        asset = next(asset for asset in RAW_ASSETS if asset.key == dg.AssetKey(["raw", platform]))
        return dg.materialize(
            [asset],
            partition_key="maya",
            instance=instance,
            resources={"settings": Settings.load(config), "environment": environment, "warehouse": warehouse},
            raise_on_error=False,
        )

    return materialize


def materialization(result: dg.ExecuteInProcessResult) -> tuple[dict[str, object], str]:
    assert result.success
    (event,) = result.get_asset_materialization_events()
    found = event.materialization
    metadata = {key: value.value for key, value in found.metadata.items()}
    return metadata, (found.tags or {})["dagster/data_version"]


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, dict[str, object]]:
    assert not result.success
    data = next(event for event in result.all_events if event.is_step_failure).step_failure_data.user_failure_data
    assert data is not None
    return data.description or "", {key: value.value for key, value in data.metadata.items()}


FILES = "      - {platform: files, path: notes}\n"


def test_a_first_run_stores_and_reports_and_an_unchanged_second_writes_nothing(run, folder, warehouse) -> None:
    folder({"a.md": "# A | b\n\na@b.se\n", "b.md": "# B\n", "bad.md": b"\xe9"}, "notes")
    metadata, version = materialization(run("files", FILES))
    assert (metadata["new"], metadata["changed"], metadata["unchanged"]) == (2, 0, 0)
    assert (metadata["quarantined"], metadata["scrubbed/email"], metadata["dagster/row_count"]) == (1, 1, 2)
    assert "A \\| b" in str(metadata["preview"])
    assert "bad.md" in str(metadata["quarantine"])
    assert metadata["version/raw/articles"] == warehouse.version("raw/articles")
    before = [warehouse.version(table) for table in TABLES]

    metadata, again = materialization(run("files", FILES))
    assert (metadata["new"], metadata["changed"], metadata["unchanged"]) == (0, 0, 2)
    assert again == version
    assert [warehouse.version(table) for table in TABLES] == before


def test_one_changed_document_is_one_change(run, folder, warehouse) -> None:
    root = folder({"a.md": "# A\n", "b.md": "# B\n"}, "notes")
    _, before = materialization(run("files", FILES))
    (root / "a.md").write_text("# A\n\nmore\n")
    metadata, after = materialization(run("files", FILES))
    assert (metadata["new"], metadata["changed"], metadata["unchanged"]) == (0, 1, 1)
    assert after != before
    stored = {document.title: document.content for document in raw_documents(warehouse.read("raw/articles", "maya"))}
    assert stored == {"A": "# A\n\nmore\n", "B": "# B\n"}


def test_a_platform_without_a_source_succeeds_and_says_so(run, folder) -> None:
    folder({"a.md": "# A\n"}, "notes")
    metadata, version = materialization(run("medium", FILES))
    assert version == "none"
    assert "names no medium source for maya" in str(metadata["note"])


def test_a_source_that_fails_fails_the_asset_after_the_others_are_stored(run, folder, tmp_path, warehouse) -> None:
    folder({"a.md": "# A\n"}, "notes")
    folder({}, "empty")
    description, metadata = failure(run("files", f"      - {{platform: files, path: empty}}\n{FILES}"))
    assert description.startswith(f"{tmp_path}/empty: holds no Markdown file")
    assert metadata["new"] == 1
    assert warehouse.read("raw/articles", "maya").num_rows == 1


def test_what_is_stored_survives_a_source_that_breaks(run, folder, archive, warehouse) -> None:
    sources = "      - {platform: medium, export: export.zip}\n"
    page = '<p class="p-name">T</p><div class="e-content"><h3>T</h3><p>x</p></div>'
    path = archive({"posts/2020_T-9d03fa5581ce.html": page})
    _, _ = materialization(run("medium", sources))
    path.write_bytes(path.read_bytes()[:-20])
    description, _ = failure(run("medium", sources))
    assert "is a truncated zip" in description
    assert warehouse.read("raw/articles", "maya").num_rows == 1


def test_an_option_error_names_file_and_line(run) -> None:
    description, _ = failure(run("substack", "      - platform: substack\n        export: x\n        ulr: y\n"))
    assert "twin.yaml:7: authors.maya.sources.0.ulr: unknown key. Did you mean 'url'?" in description


def test_a_misspelt_platform_fails_every_raw_asset_of_the_author(run, folder) -> None:
    folder({"a.md": "# A\n"}, "notes")
    description, _ = failure(run("files", FILES + "      - {platform: mediun, export: x}\n"))
    assert "twin.yaml:6: unknown platform 'mediun'. Did you mean 'medium'?" in description


def test_a_source_without_one_readable_document_fails_and_shows_them_all(run, folder) -> None:
    folder({"a.md": b"\xe9", "b.md": b"\xe8"}, "notes")
    description, metadata = failure(run("files", FILES))
    assert "none of its 2 documents can be read" in description
    assert "b.md" in str(metadata["quarantine"])


def test_each_asset_is_described_and_owned() -> None:
    assert [asset.key.path for asset in RAW_ASSETS] == [["raw", platform] for platform in all_connectors()]
    for asset in RAW_ASSETS:
        (spec,) = asset.specs
        assert spec.description
        assert spec.group_name == "collection"
        assert spec.kinds == {"python", "deltalake"}
        assert list(spec.owners) == ["team:llm-twin"]
    assert dg.AssetKey(["raw", "github"]) in RAW_KEYS[Category.CODE]
    assert dg.AssetKey(["raw", "medium"]) not in RAW_KEYS[Category.CODE]


def test_loading_collection_imports_no_parser_and_no_model_library() -> None:
    code = (
        "import sys, llm_twin_assets.collection.sensors\n"
        "names = 'bs4 lxml httpx feedparser datasketch detect_secrets phonenumbers torch mlflow'.split()\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_platforms_that_store_at_the_same_time_all_get_in(warehouse) -> None:
    origins = [Origin("maya", f"platform{number}", "here") for number in range(4)]
    documents = [raw_document(article(n), origin, Scrubbing(()), NOW)[0] for n, origin in enumerate(origins)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda document: stored.write(warehouse, "maya", [document]), documents))
    assert warehouse.read("raw/articles", "maya").num_rows == 4


def test_a_document_that_disappears_is_a_tombstone_at_the_second_run(run, folder, warehouse) -> None:
    root = folder({"a.md": "# A\n", "b.md": "# B\n"}, "notes")
    _, before = materialization(run("files", FILES))
    (root / "a.md").unlink()
    metadata, once = materialization(run("files", FILES))
    assert (metadata["removed"], metadata["tombstones"], once) == (0, 0, before)
    metadata, twice = materialization(run("files", FILES))
    assert (metadata["removed"], metadata["tombstones"], metadata["dagster/row_count"]) == (1, 1, 1)
    assert twice != before
    assert [each.title for each in stored.standing(warehouse, "maya", Category.ARTICLE)] == ["B"]


def test_each_platform_is_a_pool_and_is_tried_again() -> None:
    for asset, platform in zip(RAW_ASSETS, all_connectors(), strict=True):
        assert asset.op.pool == platform
        assert asset.op.retry_policy is not None


SAMPLE = Path(__file__).parents[2] / "llm_twin_assets" / "sample" / "exports"


@pytest.mark.parametrize(
    ("platform", "option", "name", "at_least"),
    [
        ("linkedin", "export", "linkedin.zip", {"raw/posts": 60, "raw/articles": 1}),
        ("medium", "export", "medium.zip", {"raw/articles": 3, "raw/posts": 1}),
        ("substack", "export", "substack.zip", {"raw/articles": 2}),
        ("files", "path", "notes", {"raw/articles": 3}),
        ("github", "bundle", "threadcount.bundle", {"raw/code": 5, "raw/articles": 1}),
    ],
)
def test_the_sample_author_is_collected_whole(run, warehouse, platform, option, name, at_least) -> None:
    metadata, _ = materialization(run(platform, f"      - {{platform: {platform}, {option}: {SAMPLE / name}}}\n"))
    assert metadata["quarantined"] == 0
    for table, count in at_least.items():
        documents = raw_documents(warehouse.read(table, "maya"))
        assert len(documents) >= count
        assert all(document.published_at for document in documents)
