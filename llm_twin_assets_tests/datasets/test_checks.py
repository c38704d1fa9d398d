from dataclasses import replace
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from llm_twin_assets.datasets import version
from llm_twin_assets.datasets.assets import all_cleaned, instruct, read_cleaned
from llm_twin_assets.datasets.checks import (
    DATASET_CHECKS,
    contaminated,
    not_verbatim,
    shared_between_splits,
    torn_clusters,
)
from llm_twin_assets.datasets.filters import normalized
from llm_twin_assets.datasets.split import split_of
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets_tests.datasets.made import article, words
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.warehouse import Warehouse

SETTINGS = Settings.model_validate(
    {"authors": {"maya": {"name": "Maya", "sources": [{"platform": "files"}]}}, "dataset": {"min_answer_words": 2}}
)


def table(**columns: list[object]) -> pa.Table:
    return pa.table(columns)


def test_an_answer_that_is_not_at_its_span_is_found() -> None:
    samples = table(sample_id=["a", "b"], document_id=["d", "d"], start=[0, 1], end=[3, 3], answer=["one", "one"])
    assert not_verbatim(samples, {"d": "one two"}) == ["b"]


def test_instructions_that_differ_in_case_and_punctuation_are_the_same() -> None:
    tables = {Split.TRAIN: table(instruction=["Write it!"]), Split.TEST: table(instruction=["write: it"])}
    assert shared_between_splits(tables, "instruction") == set()
    assert shared_between_splits(tables, "instruction", normalized) == {"write it"}


def test_a_cluster_in_two_splits_is_found() -> None:
    manifest = {
        "documents": {"train": ["a", "c"], "test": ["b"]},
        "clusters": [{"documents": ["a", "b"]}, {"documents": ["c", "x"]}],
    }
    assert torn_clusters(manifest) == [["a", "b"]]


def test_a_sample_that_quotes_a_sealed_document_is_found() -> None:
    sealed = words(40, "sealed")
    samples = table(sample_id=["a", "b"], instruction=["?", "?"], answer=[words(40, "own"), sealed[:200]])
    assert contaminated(samples, [sealed], SETTINGS.dataset) == ["b"]


def fill(warehouse: Warehouse, documents: list[CleanedDocument]) -> None:
    warehouse.merge(f"cleaned/{Category.ARTICLE.plural}", to_table(documents, CLEANED_SCHEMA), "maya", complete=True)


def materialized(
    warehouse: Warehouse, objects: ObjectStore, settings: Settings = SETTINGS
) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(AUTHORS.name or "", ["maya"])
        return dg.materialize(
            [instruct, *DATASET_CHECKS],
            instance=instance,
            partition_key="maya",
            resources={"warehouse": warehouse, "objects": objects, "settings": settings},
            raise_on_error=False,
        )


def checked(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {found.check_name: found.passed for found in result.get_asset_check_evaluations()}


def test_a_corpus_becomes_a_version_that_passes_every_check(warehouse: Warehouse, objects: ObjectStore) -> None:
    documents = [article(f"a{number}") for number in range(20)]
    copy = replace(documents[0], document_id="copy", duplicate_of=documents[0].document_id)
    fill(warehouse, [*documents, copy])
    assert len(all_cleaned(warehouse, "maya")) == 21
    assert len(read_cleaned(warehouse, "maya")) == 20

    result = materialized(warehouse, objects)
    assert checked(result) == dict.fromkeys(
        ["answers_are_verbatim", "splits_are_disjoint", "splits_are_decontaminated", "splits_are_filled"], True
    )
    metadata = result.asset_materializations_for_node("datasets__instruct")[0].metadata
    assert metadata["documents"].value == 20
    assert metadata["near_duplicate_clusters"].value == 1
    assert set(metadata["decontamination"].value) == {"train → validation and test", "validation → test"}  # type: ignore[arg-type]
    assert metadata["tiers"].value["l"] == metadata["samples_train"].value  # type: ignore[index, call-overload]
    again = materialized(warehouse, objects).asset_materializations_for_node("datasets__instruct")[0]
    assert again.metadata["dataset_version"].value == metadata["dataset_version"].value


@pytest.mark.parametrize("bounds", [{"min_train_samples": 1000}, {"min_test_documents": 30}])
def test_too_little_to_train_on_or_to_test_with_stops_everything_after_it(
    warehouse: Warehouse, objects: ObjectStore, bounds: dict[str, int]
) -> None:
    fill(warehouse, [article(f"a{number}") for number in range(12)])
    dataset = SETTINGS.dataset.model_copy(update=bounds)
    result = materialized(warehouse, objects, SETTINGS.model_copy(update={"dataset": dataset}))
    assert not checked(result)["splits_are_filled"]


def test_what_its_neighbour_sealed_stays_sealed_when_that_is_rewritten(
    warehouse: Warehouse, objects: ObjectStore
) -> None:
    documents = [article(f"a{number}") for number in range(20)]
    own = {each.document_id: split_of(each.document_id, SETTINGS.dataset) for each in documents}
    sealed = next(each for each in documents if own[each.document_id] is Split.TEST)
    other = next(each for each in documents if own[each.document_id] is Split.TRAIN)
    alike = replace(other, text=f"{sealed.text}\nOne more thing.\n")
    rest = [each for each in documents if each is not other]
    for corpus in ([alike, *rest], [alike, *(each for each in rest if each is not sealed)]):
        fill(warehouse, corpus)
        materialized(warehouse, objects)
        placed: Any = version.current(objects, "maya").manifest["documents"]
        assert other.document_id in placed["test"]


def test_a_document_that_changed_behind_the_version_s_back_is_found(warehouse: Warehouse, objects: ObjectStore) -> None:
    documents = [article(f"a{number}") for number in range(12)]
    fill(warehouse, documents)
    materialized(warehouse, objects)
    found = version.current(objects, "maya")
    samples = version.samples_of(objects, found, Split.TRAIN)
    edited = {each.document_id: each.text.replace(" ", "  ", 1) for each in documents}
    assert not_verbatim(samples, edited)
