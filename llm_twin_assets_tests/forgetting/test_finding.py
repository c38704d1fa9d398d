"""Who saw a document, and what else says the same."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llm_twin_assets.domain.identity import document_id
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.forgetting.finding import AmbiguousDocumentError, Findings, Version, find
from llm_twin_assets.forgetting.places import Places
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.forgetting.remembered import Registered
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.warehouse import Warehouse

MILL, AGAIN, THIRD, BREAD = (document_id("maya", name) for name in ("mill", "again", "third", "bread"))


@pytest.fixture
def places(tmp_path: Path, warehouse: Warehouse, objects: ObjectStore) -> Places:
    environment = Environment(home=str(tmp_path), config=tmp_path / "none", service_url="", phoenix_url="")
    rows = [cleaned(name, f"What {name} says.") for name in ("mill", "again", "third", "bread")]
    rows[1] = replace(rows[1], duplicate_of=MILL, path="README.md")
    rows[2] = replace(rows[2], duplicate_of=AGAIN, path="README.md")
    rows[3] = replace(rows[3], path="src/bread.py")
    warehouse.upsert("cleaned/articles", to_table(rows, CLEANED_SCHEMA), "maya")
    return Places(warehouse, objects, LanceVectorStore(str(tmp_path / "embedded")), Registered(), environment)  # type: ignore[arg-type]


def dataset(places: Places, digest: str, kind: str = "datasets", **documents: list[str]) -> str:
    manifest = {"digest": digest, "documents": documents}
    places.objects.replace(f"{kind}/maya/{digest}/manifest.json", json.dumps(manifest).encode())
    return f"{kind}/maya/{digest}"


def found(places: Places, name: str, *, copies: bool = False) -> Findings:
    return find(name, "maya", places, 20, with_copies=copies)


def test_copies_of_copies_are_found_and_taken_in_where_they_are_asked_for(places: Places) -> None:
    one = found(places, "https://example.com/again")
    assert one.ids == {AGAIN}
    assert {each.document_id for each in one.copies} == {MILL, THIRD}
    every = found(places, "https://example.com/again", copies=True)
    assert every.ids == {MILL, AGAIN, THIRD}
    assert every.copies == ()
    assert found(places, BREAD).copies == ()


def test_a_path_names_a_document_only_if_no_other_has_it(places: Places) -> None:
    assert found(places, "src/bread.py").ids == {BREAD}
    with pytest.raises(AmbiguousDocumentError, match="2 documents have the path"):
        found(places, "README.md")


def test_models_that_learnt_it_are_told_from_those_that_were_examined_on_it(places: Places) -> None:
    dataset(places, "learnt", train=[BREAD, MILL], test=[])
    dataset(places, "sealed", train=[MILL], test=[BREAD])
    dataset(places, "without", train=[MILL], test=[])
    dataset(places, "pairs", "preferences", train=[], validation=[BREAD])
    tags = {
        "1": {"dataset_version": "learnt"},
        "2": {"dataset_version": "sealed"},
        "3": {"dataset_version": "without", "preference_version": "pairs"},
        "4": {"dataset_version": "without", "preference_version": ""},
        "5": {"dataset_version": "gone"},
    }
    places.registry.models.update(tags)  # type: ignore[attr-defined]
    seen = found(places, BREAD)
    assert (seen.learnt, seen.judged) == (("1", "3"), ("2",))
    # Version 2 is candidate and champion here: what it was made from stays.
    assert set(seen.versions) == {
        Version("datasets/maya/learnt", used=False),
        Version("datasets/maya/sealed", used=True),
        Version("preferences/maya/pairs", used=False),
    }


def test_what_only_a_dataset_still_has_is_found_by_its_id(places: Places) -> None:
    lost = document_id("maya", "lost")
    dataset(places, "old", train=[lost], test=[])
    assert [each.prefix for each in found(places, lost).versions] == ["datasets/maya/old"]
