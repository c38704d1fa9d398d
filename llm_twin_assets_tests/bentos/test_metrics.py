"""What Prometheus reads at /metrics: counted right, bounded in its labels, and for whom it is."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Receive, Scope, Send

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Door
from bentos.engine_api import create_engine_app, open_engine
from bentos.gpu import gpu_memory
from bentos.metrics import ServiceMetrics
from bentos.metrics_api import Counted
from bentos.model_host import ModelHost
from bentos.model_leases import EngineAddress, ModelLeases
from llm_twin_assets.inference.engine import EngineError, Failure
from llm_twin_assets_tests.bentos.scripted import Scripted
from resources.api_keys import Keyring, new_key, write_keys
from resources.settings import Serving

QUESTION = {"question": "How should I split samples into training and test set?", "author": "maya"}


def served(desk: Desk, door: Door | None = None) -> TestClient:
    app = create_app()
    open_up(app, replace(desk, metrics=ServiceMetrics()), door)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def api(desk: Desk, engine: Scripted) -> Iterator[TestClient]:
    with served(desk) as client:
        yield client


def samples(api: TestClient, **headers: str) -> dict[str, float]:
    """Each sample as Prometheus names it, of a page that its own parser reads."""
    page = api.get("/metrics", headers=headers).raise_for_status().text
    return {
        f"{each.name}{{{','.join(f'{key}={value}' for key, value in sorted(each.labels.items()))}}}": each.value
        for family in text_string_to_metric_families(page)
        for each in family.samples
    }


def test_an_answer_is_counted_with_its_tokens_its_time_and_its_outcome(api: TestClient) -> None:
    given = api.post("/v1/answer", json=QUESTION).raise_for_status().json()
    seen = samples(api)
    assert given["outcome"] == "answered"
    assert seen["twin_answers_total{author=maya,outcome=answered}"] == 1
    assert seen["twin_tokens_total{author=maya,kind=completion}"] == given["usage"]["completion_tokens"] > 0
    assert seen["twin_tokens_total{author=maya,kind=prompt}"] == given["usage"]["prompt_tokens"] > 0
    assert seen["twin_answer_seconds_count{author=maya}"] == 1
    assert seen["twin_requests_total{route=/v1/answer,status=200}"] == 1
    assert seen["twin_request_seconds_sum{route=/v1/answer}"] >= seen["twin_answer_seconds_sum{author=maya}"] > 0
    assert "twin_first_token_seconds_count{author=maya}" not in seen


def test_of_a_stream_the_time_to_its_first_words_is_counted(api: TestClient, engine: Scripted) -> None:
    engine.pause = 0.005
    api.post("/v1/answer", json={**QUESTION, "stream": True}).raise_for_status()
    seen = samples(api)
    assert seen["twin_first_token_seconds_count{author=maya}"] == 1
    assert seen["twin_first_token_seconds_sum{author=maya}"] < seen["twin_answer_seconds_sum{author=maya}"]


def test_an_engine_that_fails_shows_as_degraded_answers_by_cause(api: TestClient, engine: Scripted) -> None:
    engine.fails = EngineError("gone", kind=Failure.DEADLINE)
    api.post("/v1/answer", json=QUESTION).raise_for_status()
    assert samples(api)["twin_degraded_answers_total{author=maya,cause=engine_deadline}"] == 1


def test_an_error_is_a_failed_answer_but_not_where_nobody_waited_for_it() -> None:
    metrics = ServiceMetrics()
    for error in (RuntimeError("a bug"), EngineError("nobody waits", kind=Failure.CANCELLED)):
        with pytest.raises(type(error)), metrics.answering("maya"):
            raise error
    with pytest.raises(GeneratorExit), metrics.answering("maya"):
        raise GeneratorExit
    assert b'twin_failed_answers_total{author="maya"} 1.0' in metrics.exposition(_Nothing())


def test_no_address_that_somebody_makes_up_becomes_a_time_series(api: TestClient) -> None:
    before = len(samples(api))
    for number in range(5):
        api.get(f"/made/up/{number}")
        api.get(f"/v1/models/made-up-{number}")
        api.post("/v1/answer", json={**QUESTION, "author": f"made-up-{number}"})
        api.request(f"MADE{number}", "/v1/authors")
    seen = samples(api)
    assert seen["twin_requests_total{route=none,status=404}"] == 5
    assert seen["twin_requests_total{route=/v1/models/{model},status=404}"] == 5
    assert not any("made" in name.lower() for name in seen)
    assert len(seen) < before + 120


def test_how_things_stand_is_told_at_the_moment_of_asking(api: TestClient) -> None:
    seen = samples(api)
    assert seen["twin_ready{}"] == 1
    assert seen["twin_queue_depth{pool=answer}"] == seen["twin_threads_working{pool=answer}"] == 0
    assert (
        seen["twin_release_info{author=maya,canary=no,model_version=1,release=maya-000001,snapshot=snapshot-tiny}"] == 1
    )
    assert seen["twin_engine_up{author=maya,engine=scripted}"] == 1
    assert seen["twin_paused{author=maya}"] == 0
    assert seen["twin_lost_spans_total{}"] == 0
    assert seen["process_resident_memory_bytes{}"] > 0


def test_with_keys_only_one_that_is_for_metrics_and_for_all_authors_reads_them(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = {
        "all": new_key("all"),
        "scrape": new_key("scrape", endpoints=("metrics",)),
        "one": new_key("one", authors=("maya",)),
        "ask": new_key("ask", endpoints=("answer",)),
    }
    write_keys(path, [key for _, key in made.values()])
    with served(desk, Door(Keyring(path))) as api:
        assert api.get("/metrics").status_code == 401
        statuses = {
            name: api.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code
            for name, (token, _) in made.items()
        }
        assert statuses == {"all": 200, "scrape": 200, "one": 403, "ask": 403}
        scrape = {"Authorization": f"Bearer {made['scrape'][0]}"}
        assert api.post("/v1/answer", json=QUESTION, headers=scrape).status_code == 403
        # Whoever is turned away is counted, too.
        assert samples(api, **scrape)["twin_requests_total{route=none,status=401}"] == 1


def test_workers_add_up_until_somebody_empties_their_folder(tmp_path: Path) -> None:
    """Two processes, as BentoML starts them: whether values go into files is decided when prometheus_client loads."""
    script = """
import os, shutil, sys
from pathlib import Path
from bentos.metrics import ServiceMetrics, shared_folder
class Nothing:
    def collect(self): return iter(())
metrics = ServiceMetrics(shared_folder(), worker=1 if (other := os.fork()) else 2)
metrics.requested("/v1/answer", 200, 0.1)
if not other: os._exit(0)
os.waitpid(other, 0)
print(metrics.exposition(Nothing()).decode())
for file in Path(shared_folder()).iterdir(): file.unlink()
print(metrics.exposition(Nothing()).decode())
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    counted = [line for line in done.stdout.splitlines() if line.startswith("twin_requests_total{")]
    assert [line.rpartition(" ")[2] for line in counted] == ["2.0", "1.0"]
    assert 'process_resident_memory_bytes{worker="1"}' in done.stdout


def test_the_page_of_the_engine_beside_is_passed_on_and_its_absence_is_none_of_ours() -> None:
    page = ServiceMetrics(neighbour=lambda: b"twin_engine_models 2.0\n").exposition(_Nothing()).decode()
    assert list(text_string_to_metric_families(page))
    assert page.endswith("\ntwin_engine_models 2.0\n")
    gone = ModelLeases(EngineAddress.of("http://127.0.0.1:1"), Serving())
    assert gone.metrics() == b""
    gone.close()


def test_memory_of_a_gpu_is_told_where_one_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        device_count=lambda: 2,
        mem_get_info=lambda device: (10 + device, 80),
        memory_allocated=lambda device: 5 * device,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    told = {(each.labels["device"], each.labels["kind"]): each.value for each in gpu_memory("m").samples}
    assert told[("1", "free")] == 11
    assert told[("0", "total")] == 80
    assert told[("1", "allocated")] == 5
    cuda.is_initialized = lambda: False
    assert gpu_memory("m").samples == []


def test_the_engine_tells_how_its_models_stand() -> None:
    app = create_engine_app()
    with TestClient(app) as api:
        assert api.get("/metrics").status_code == 503
        host = ModelHost(lambda _: pytest.fail("nothing is leased"))
        open_engine(app, host, Serving(), Door())
        page = api.get("/metrics").raise_for_status().text
        host.close()
        app.state.pool.close()
    seen = {family.name: family.samples[0].value for family in text_string_to_metric_families(page) if family.samples}
    assert seen["twin_engine_models"] == seen["twin_engine_queue_depth"] == seen["twin_engine_working"] == 0
    assert seen["twin_engine_process_resident_memory_bytes"] > 0


@pytest.mark.anyio
async def test_counting_takes_less_than_a_tenth_of_a_millisecond(desk: Desk) -> None:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    app = create_app()
    open_up(app, replace(desk, metrics=ServiceMetrics()))
    counted = Counted(nothing)
    scope: Scope = {"type": "http", "app": app, "path": "/", "route": app.routes[0]}

    async def one(layer: object) -> float:
        began = time.process_time()
        for _ in range(500):
            await layer(scope, None, _swallow)  # type: ignore[operator]
        return (time.process_time() - began) / 500

    # The processor's time, and the quickest of a few: what else this machine does is not what is measured.
    added = min([await one(counted) for _ in range(5)]) - min([await one(nothing) for _ in range(5)])
    assert added < 0.0001


async def _swallow(_: object) -> None:
    pass


class _Nothing:
    def collect(self) -> Iterator[object]:
        return iter(())
