"""Questions of a batch, answers to them, and how they are materialized in tests."""

import dagster as dg

from llm_twin_assets.batch.answers import BATCH_ANSWERS_TABLE
from llm_twin_assets.batch.assets import batch_answers
from llm_twin_assets.inference.batch import BatchAnswer, BatchQuestion
from llm_twin_assets.inference.citations import Citation
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.vector_store import Filters
from resources.warehouse import Warehouse

SPLITTING = BatchQuestion(question_id="1", question="How should I split samples into training and test set?")
CODE_ALONE = BatchQuestion(
    question_id="2", question="What does merge_counts count?", filters=Filters(categories=("code",))
)
FOOTBALL = BatchQuestion(question_id="3", question="Which goalkeeper won the cup in Uruguay?")
ALL = [SPLITTING, CODE_ALONE, FOOTBALL]


def given(asked: BatchQuestion, cause: str | None = None, citations: tuple[Citation, ...] = ()) -> BatchAnswer:
    """An answer that says little."""
    return BatchAnswer(
        question_id=asked.question_id, answer="Split first.", outcome="answered", degraded=cause is not None,
        cause=cause, reason=None, support=1.0, citations=citations, prompt_tokens=1, completion_tokens=1,
    )  # fmt: skip


def materialized(warehouse: Warehouse, environment: Environment) -> dict[str, object]:
    """What a run of the asset tells."""
    with dg.build_asset_context(partition_key="maya") as context:
        result = batch_answers(
            context, warehouse=warehouse, objects=ObjectStore(environment.under("objects")), environment=environment
        )
    assert isinstance(result, dg.MaterializeResult)
    return dict(result.metadata or {})


def rows(warehouse: Warehouse) -> dict[str, dict[str, object]]:
    """The table of answers, by question."""
    return {row["question_id"]: row for row in warehouse.read(BATCH_ANSWERS_TABLE, "maya").to_pylist()}
