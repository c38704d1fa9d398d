"""The description of the interface is true: requests drawn from it, right and wrong ones, get the answers it names."""

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.config import SchemathesisConfig

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Door
from resources.api_keys import Keyring, new_key, write_keys
from resources.service_settings import Service

OPERATIONS = {
    "POST /v1/answer", "POST /v1/search", "POST /v1/write", "GET /v1/authors", "GET /v1/releases/current",
    "GET /v1/answers/{answer_id}/lineage", "POST /v1/chat/completions", "GET /v1/models", "GET /v1/models/{model}",
    "POST /v1/embeddings",
}  # fmt: skip

# What a schema cannot say: that the last turn is a user's, that an author has to be named where there are two, and
# that the one who is named exists.
REFUSED = ["2xx", 400, 404, 422]


@pytest.fixture(scope="module")
def app(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[FastAPI, str]:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    token, key = new_key("tester", requests_per_minute=1_000_000, tokens_per_minute=1_000_000_000)
    write_keys(keys, [key])
    made = create_app()
    open_up(made, desk, Door(Keyring(keys), Service()))
    return made, token


@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_every_operation_answers_as_it_is_described(app: tuple[FastAPI, str], mode: schemathesis.GenerationMode):
    made, token = app
    config = SchemathesisConfig.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": REFUSED}}})
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", made, config=config)
    operations = [each.ok() for each in schema.get_all_operations()]
    assert {each.label for each in operations} == OPERATIONS
    for operation in operations:

        @seed(7)
        @settings(
            max_examples=4,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def is_as_described(case: schemathesis.Case) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

        is_as_described()
