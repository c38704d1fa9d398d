"""What BentoML's supervisor does with a worker that dies, where BentoML's images start it."""

from collections.abc import Iterator
from typing import Any

import pytest
from _bentoml_impl.server.serving import server_on_deployment
from bentoml.serving import create_watcher, running_inside_container

from bentos.engine_service import Engine
from bentos.service import Twin


@pytest.fixture(autouse=True)
def in_an_image(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BENTOML_CONTAINERIZED", "true")
    running_inside_container.cache_clear()
    yield
    running_inside_container.cache_clear()


def test_a_dead_worker_would_not_be_replaced_there() -> None:
    assert create_watcher("worker", ["--version"]).respawn is False


@pytest.mark.parametrize("service", [Twin, Engine])
def test_a_dead_worker_of_ours_is_replaced(service: Any) -> None:
    server_on_deployment(service)
    assert create_watcher("worker", ["--version"]).respawn is True
