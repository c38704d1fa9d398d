"""From records as they lie in a home to what `twin lineage` says of them; Phoenix is tested beside the service."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from llm_twin_assets.cli import app
from llm_twin_assets.datasets.version import mark_stale
from llm_twin_assets.domain.document import Category, CleanedDocument, RawDocument
from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.release import Interval, Verdict
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, RAW_SCHEMA, to_table
from llm_twin_assets.lineage.graph import Edge, Key, Kind
from llm_twin_assets.lineage.records import AnswerRead, Records, read_records
from llm_twin_assets.lineage.relations import lineage_of
from llm_twin_assets.release import approvals
from llm_twin_assets.release.deployment import Served, approved, deploy
from llm_twin_assets_tests.conftest import NOW, cleaned
from llm_twin_assets_tests.imports import closure
from llm_twin_assets_tests.resources.chunks import rows
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.warehouse import Warehouse

AUTHOR, DATASET, PREFERENCES = "maya", "d4" * 32, "e5" * 32
TAGS = {
    "model_digest": "c8" * 32,
    "base": "tiny-llama",
    "dataset_version": DATASET,
    "preference_version": PREFERENCES,
    "parameters_digest": "06" * 32,
    "method": "lora",
}
LOOM, FERRY, LATER = (
    cleaned(name, f"I wrote of the {name}.", title=f"The {name}") for name in ("loom", "ferry", "later")
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three documents, of which two were learnt from; one model, evaluated, approved, released with a snapshot."""
    home = tmp_path_factory.mktemp("home")
    _write_documents(Warehouse(str(home / "warehouse")), [LOOM, FERRY, LATER])
    _publish_snapshot(LanceVectorStore(str(home / "embedded")), [LOOM, FERRY], "snapshot-0123456789ab")
    objects = ObjectStore(str(home / "objects"))
    manifest = {
        "digest": DATASET, "samples": {"train": 4, "test": 2}, "kinds": {}, "languages": ["en"],
        "documents": {"train": [LOOM.document_id], "validation": [], "test": [FERRY.document_id]},
    }  # fmt: skip
    objects.put_new(f"datasets/{AUTHOR}/{DATASET}/manifest.json", json.dumps(manifest).encode())
    pairs = {"digest": PREFERENCES, "dataset": DATASET, "pairs": {"train": 1}, "thumbs": {}, "why_empty": None}
    objects.put_new(f"preferences/{AUTHOR}/{PREFERENCES}/manifest.json", json.dumps(pairs).encode())
    _release(objects)
    return home


@pytest.fixture
def records(home: Path) -> Records:
    return read_records(
        AUTHOR,
        ObjectStore(str(home / "objects")),
        Warehouse(str(home / "warehouse")),
        LanceVectorStore(str(home / "embedded")),
        {"1": TAGS},
    )


def of(kind: Kind, name: str) -> Key:
    return Key(kind, AUTHOR, name)


RELEASE, MODEL, SNAPSHOT = (
    of(Kind.RELEASE, "maya-000001"), of(Kind.MODEL, "twin-maya/1"), of(Kind.SNAPSHOT, "snapshot-0123456789ab"),
)  # fmt: skip


def test_an_answer_is_walked_to_the_raw_documents(records: Records) -> None:
    answer = AnswerRead("ab" * 16, "maya-000001", (FERRY.document_id,), {"question": "Which ferry?"})
    graph = lineage_of(records.with_answers([answer]))
    before = graph.ancestors(of(Kind.ANSWER, "ab" * 16))
    assert {RELEASE, MODEL, SNAPSHOT, of(Kind.DATASET, DATASET), of(Kind.PREFERENCES, PREFERENCES)} <= before
    assert {of(Kind.RAW, each.document_id) for each in (LOOM, FERRY)} <= before
    assert of(Kind.SOURCE, "files:notes") in before
    assert of(Kind.RAW, LATER.document_id) not in before


def test_a_document_is_walked_to_every_model_release_and_answer_that_came_of_it(records: Records) -> None:
    answer = AnswerRead("ab" * 16, "maya-000001", (), {})
    graph = lineage_of(records.with_answers([answer]))
    after = graph.descendants(of(Kind.DOCUMENT, LOOM.document_id))
    assert {MODEL, RELEASE, SNAPSHOT, of(Kind.ANSWER, "ab" * 16)} <= after
    assert graph.descendants(of(Kind.DOCUMENT, LATER.document_id)) == set()


def test_a_release_rests_on_the_approval_and_that_on_the_evaluation(records: Records) -> None:
    graph = lineage_of(records)
    approval, evaluation = of(Kind.APPROVAL, "maya-approval-000001"), of(Kind.EVALUATION, "maya-evaluation-1")
    assert Edge(RELEASE, approval, "decided by") in graph.edges
    assert Edge(approval, evaluation, "rests on") in graph.edges
    assert Edge(evaluation, MODEL, "judges") in graph.edges
    assert graph.nodes[approval].details["approver"] == "Noor"


def test_a_release_names_its_service(records: Records) -> None:
    assert Edge(RELEASE, of(Kind.SERVICE, "twin:0123456789ab"), "served by") in lineage_of(records).edges


def test_a_released_model_has_its_line_where_the_registry_is_gone(records: Records) -> None:
    graph = lineage_of(replace(records, models={}))
    assert of(Kind.DOCUMENT, LOOM.document_id) in graph.ancestors(MODEL)


def test_a_document_that_left_the_warehouse_is_still_named_by_what_it_led_to(records: Records) -> None:
    graph = lineage_of(replace(records, raw=[], cleaned=[]))
    key = graph.find(LOOM.document_id)
    assert graph.nodes[key].details == {}
    assert MODEL in graph.descendants(key)


def test_what_saw_a_forgotten_document_is_shown_as_stale(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    objects = ObjectStore(str(home / "objects"))
    assert "stale" not in twin(home, monkeypatch, tmp_path, "lineage", DATASET, "--down").stdout
    mark_stale(objects, f"datasets/{AUTHOR}/{DATASET}", [LOOM.document_id])
    shown = twin(home, monkeypatch, tmp_path, "lineage", DATASET, "--down").stdout
    objects.delete([f"datasets/{AUTHOR}/{DATASET}/stale.json"])
    assert "stale: it saw what was forgotten" in shown.splitlines()[0]


def test_the_command_prints_nodes_and_edges_as_json(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = json.loads(twin(home, monkeypatch, tmp_path, "lineage", "https://example.com/loom", "--json").stdout)
    assert found["subject"] == {"kind": "document", "author": AUTHOR, "id": LOOM.document_id}
    sides = {(node["kind"], node["id"]): node["direction"] for node in found["nodes"]}
    assert sides["raw document", LOOM.document_id] == "up"
    assert sides["release", "maya-000001"] == "down"
    assert all({"from", "to", "relation"} == set(edge) for edge in found["edges"])
    assert not (home / "mlflow").exists()  # looking made no registry


def test_the_command_draws_both_directions(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = twin(home, monkeypatch, tmp_path, "lineage", "maya-000001")
    assert "Phoenix cannot be reached" in shown.stderr
    lines = shown.stdout.splitlines()
    assert "serves" in lines[0]
    assert any("answers with model twin-maya/1" in line for line in lines)
    assert any("made of (train) document" in line and "The loom" in line for line in lines)
    assert lines[-1] == "led to nothing on record"
    assert "led to" not in twin(home, monkeypatch, tmp_path, "lineage", "maya-000001", "--up").stdout


def test_the_command_shortens_what_is_long_unless_asked_not_to(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("llm_twin_assets.commands.lineage.SHOWN", 1)
    name = "snapshot-0123456789ab"
    assert "holds … and 1 more: document" in twin(home, monkeypatch, tmp_path, "lineage", name, "--up").stdout
    assert "more: document" not in twin(home, monkeypatch, tmp_path, "lineage", name, "--up", "--all").stdout


def test_an_unknown_name_is_one_line_on_stderr(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = twin(home, monkeypatch, tmp_path, "lineage", "maya-000009")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr.startswith("error: 'maya-000009' is not on record")


def test_an_answer_cannot_be_walked_without_phoenix(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failed = twin(home, monkeypatch, tmp_path, "lineage", "ab" * 16)
    assert failed.exit_code == 1
    assert "Phoenix cannot be reached" in failed.stderr


def test_walking_the_lineage_takes_no_dagster() -> None:
    ours, others = closure("llm_twin_assets.lineage.reading", "llm_twin_assets.commands.lineage")
    assert "llm_twin_assets.monitoring.traces" in ours
    assert "dagster" not in others


def twin(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str):
    authors = {AUTHOR: {"name": "Maya Lindqvist", "sources": [{"platform": "files", "path": "notes"}]}}
    (tmp_path / "twin.yaml").write_text(yaml.safe_dump({"authors": authors}), encoding="utf-8")
    monkeypatch.setenv("TWIN_CONFIG", str(tmp_path / "twin.yaml"))
    monkeypatch.setenv("TWIN_HOME", str(home))
    monkeypatch.setenv("PHOENIX_URL", "http://127.0.0.1:9")  # the discard port: nobody answers
    return CliRunner().invoke(app, list(arguments))


def _write_documents(warehouse: Warehouse, documents: list[CleanedDocument]) -> None:
    warehouse.merge("cleaned/articles", to_table(documents, CLEANED_SCHEMA), AUTHOR)
    warehouse.merge("raw/articles", to_table([_raw(each) for each in documents], RAW_SCHEMA), AUTHOR)


def _raw(document: CleanedDocument) -> RawDocument:
    return RawDocument(
        document_id=document.document_id,
        author=AUTHOR,
        platform="files",
        category=Category.ARTICLE,
        url=document.url,
        title=document.title,
        content=document.text,
        media_type="text/markdown",
        published_at=NOW,
        code_language=None,
        repository=None,
        path=None,
        content_hash=document.raw_hash,
        collected_at=NOW,
        source="files:notes",
    )


def _publish_snapshot(store: LanceVectorStore, documents: list[CleanedDocument], name: str) -> None:
    for at, each in enumerate(documents):
        store.write(AUTHOR, rows([f"chunk-{at}"], document=each.document_id), ())
    store.publish(AUTHOR, name)


def _release(objects: ObjectStore) -> None:
    verdict = Verdict(
        author=AUTHOR, model_version="1", model_digest=TAGS["model_digest"], reference="base tiny-llama",
        dataset=DATASET, documents=2, candidate_bits_per_byte=2.0, reference_bits_per_byte=2.5,
        difference=Interval(mean=-0.5, low=-0.6, high=-0.4), passed=True, reason="better", config_digest="",
        evaluated_at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip
    objects.put_new(f"evaluations/{AUTHOR}/1.json", verdict.model_dump_json().encode())
    approvals.approve(objects, AUTHOR, "1", "Noor", "reads well", NOW)
    served = Served(
        author_name="Maya Lindqvist",
        snapshot="snapshot-0123456789ab",
        embedder="an-embedder",
        embedder_digest="1" * 64,
        prompt_digest="2" * 64,
        service="twin:0123456789ab",
    )
    deploy(objects, approved(objects, AUTHOR), ModelVersion.from_tags(AUTHOR, "1", TAGS), served, NOW)
