"""The description of the interface is true: requests drawn from it, right and wrong ones, get the answers it names."""

import threading
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings

from bentos.api import create_app, open_up
from bentos.desk import Asked, Desk
from bentos.door import Door
from llm_twin_assets_tests.bentos.scripted import Scripted
from resources.api_keys import Keyring, new_key, write_keys

if TYPE_CHECKING:
    from schemathesis import Case

OPERATIONS = {
    "POST /v1/answer", "POST /v1/search", "POST /v1/write", "GET /v1/authors", "GET /v1/releases/current",
    "GET /v1/answers/{answer_id}/lineage", "POST /v1/chat/completions", "GET /v1/models", "GET /v1/models/{model}",
    "POST /v1/embeddings", "POST /v1/feedback",
}  # fmt: skip


@pytest.fixture(scope="module")
def app(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[FastAPI, str]:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    token, key = new_key("tester", requests_per_minute=1_000_000, tokens_per_minute=1_000_000_000)
    write_keys(keys, [key])
    made = create_app()
    open_up(made, desk, Door(Keyring(keys)))
    return made, token


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_operation_answers_as_it_is_described(app: tuple[FastAPI, str], desk: Desk, engine: Scripted, mode: str):
    # Some seconds, which every process that only collects the tests would spend.
    import schemathesis
    from schemathesis import GenerationMode

    made, token = app
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", made)
    operations = [each.ok() for each in schema.get_all_operations()]
    assert {each.label for each in operations} == OPERATIONS
    assert "422" not in schema["/v1/chat/completions"]["POST"].definition.raw["responses"]
    answered = desk.answer(desk.released("maya"), Asked("How to split samples?"), threading.Event())
    for operation in operations:

        @seed(7)
        @settings(
            max_examples=3,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
        def is_as_described(case: "Case") -> None:
            if mode == "positive":
                say_what_exists(case, answered.answer_id)
            response = case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
            assert mode == "negative" or response.status_code == 200

        is_as_described()


def say_what_exists(case: "Case", answer_id: str) -> None:
    """What no schema can say: whose twins there are, which answers were given, that a question comes last."""
    names = {"author": "maya", "model": "maya", "answer_id": answer_id}
    if isinstance(case.body, dict):
        case.body |= {name: names[name] for name in ("author", "model") if name in _properties(case)}
        if "messages" in case.body:
            case.body["messages"][-1] = {"role": "user", "content": "How to split samples?"}
    case.path_parameters = {name: names[name] for name in case.path_parameters or {}}
    if case.path == "/v1/releases/current":
        case.query = {"author": "maya"}


def _properties(case: "Case") -> set[str]:
    return {"model"} if case.path in ("/v1/chat/completions", "/v1/embeddings") else {"author"}
