"""The service `Engine` over a real socket: models come, write and go as they are leased."""

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from bentos import engine_api, model_leases
from bentos.door import Door
from bentos.engine_api import create_engine_app, open_engine
from bentos.engine_service import engine_keyring
from bentos.model_host import ModelHost, ModelNotLoadedError
from bentos.model_leases import EngineAddress, EngineUnreachableError, ModelLeases, ModelRefusedError
from bentos.stored_model import ModelLoader, StoredModel
from llm_twin_assets.inference.engine import Cancellation, EngineError, Failure, Generated, Piece, Sampling
from llm_twin_assets.inference.openai_engine import OpenAIEngine
from llm_twin_assets.inference.prompts import Message, messages
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from llm_twin_assets_tests.bentos.scripted import Scripted
from resources.api_keys import Keyring
from resources.folder_digest import folder_digest
from resources.object_store import ObjectStore
from resources.settings import Serving

PROMPT = messages("Why chunk by headings?", author_name="Maya <|end|>")
SERVING = Serving(batch=1, waiting=0)
OTHER = StoredModel(path="models/other", digest="3" * 64, name="other", place="release 2 of maya")


@pytest.fixture(scope="module")
def model(built_home: Path) -> StoredModel:
    path = "models/tiny"
    return StoredModel(
        path=path, digest=folder_digest(built_home / "objects" / path), name="twin-maya/1", place="release 1 of maya"
    )


@pytest.fixture(scope="module")
def loader(built_home: Path) -> ModelLoader:
    return ModelLoader(ObjectStore(str(built_home / "objects")), Serving())


@contextmanager
def engine_service(
    host: ModelHost, folder: Path | None, serving: Serving = SERVING, keyring: Keyring | None = None
) -> Iterator[EngineAddress]:
    """At a socket in the folder, else at a port."""
    app = create_engine_app()
    open_engine(app, host, serving, Door(keyring))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    with socket.socket(socket.AF_UNIX if folder else socket.AF_INET) as listening:
        listening.bind(f"{folder}/engine.sock" if folder else ("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        name = listening.getsockname()
        yield EngineAddress.of(f"file://{name}" if folder else f"http://127.0.0.1:{name[1]}/")
        server.should_exit = True
        thread.join(30)
    host.close()


@pytest.fixture(scope="module")
def host(loader: ModelLoader) -> ModelHost:
    return ModelHost(loader.load)


@pytest.fixture(scope="module")
def address(host: ModelHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineAddress]:
    with engine_service(host, tmp_path_factory.mktemp("engine")) as found:
        yield found


@pytest.fixture(scope="module")
def leases(address: EngineAddress) -> Iterator[ModelLeases]:
    made = ModelLeases(address, SERVING)
    yield made
    made.close()


@pytest.fixture(scope="module")
def leased(leases: ModelLeases, model: StoredModel) -> OpenAIEngine:
    return leases.open(model)


@pytest.fixture(scope="module")
def in_process(loader: ModelLoader, model: StoredModel) -> TransformersEngine:
    return loader.load(model)


class Told(Scripted):
    """A model that says what it is told as slowly as it is told: only so can be tested what takes time."""

    tokenizer_data = None


@contextmanager
def told(
    folder: Path, serving: Serving = SERVING, engine: Told | None = None
) -> Iterator[tuple[Told, ModelHost, ModelLeases]]:
    engine = engine or Told()
    host = ModelHost(lambda _: engine)
    with engine_service(host, folder, serving) as address:
        leases = ModelLeases(address, serving)
        yield engine, host, leases
        leases.close()


@pytest.mark.parametrize(
    "sampling", [Sampling(24), Sampling(24, 0.9, 0.8, 7), Sampling(24, stop=(" the",)), Sampling(80)]
)
def test_a_leased_model_says_what_it_says_in_process(
    leased: OpenAIEngine, in_process: TransformersEngine, sampling: Sampling
):
    assert leased.generate(PROMPT, sampling) == in_process.generate(PROMPT, sampling)
    *pieces, whole = leased.stream(PROMPT, sampling)
    *expected, _ = in_process.stream(PROMPT, sampling)
    assert joined(pieces) == joined(expected)
    assert whole == in_process.generate(PROMPT, sampling)


def test_it_is_called_and_counts_as_in_process(leased: OpenAIEngine, in_process: TransformersEngine):
    assert (leased.name, leased.context_tokens) == (in_process.name, in_process.context_tokens) == ("twin-maya/1", 1024)
    assert leased.token_count(PROMPT) == in_process.token_count(PROMPT)


def test_what_exceeds_the_context_is_an_error(leased: OpenAIEngine):
    with pytest.raises(EngineError) as failed:
        leased.generate(PROMPT, Sampling(1024))
    assert failed.value.kind is Failure.FAILED


@pytest.mark.parametrize(
    ("change", "why"),
    [({"digest": "0" * 64}, "its model is not the one found here"), ({"path": "models/none"}, "holds no model")],
)
def test_a_model_that_must_not_or_cannot_be_loaded_is_refused_with_the_reason(
    leases: ModelLeases, model: StoredModel, change: dict[str, str], why: str
):
    with pytest.raises(ModelRefusedError, match=why):
        leases.open(model.model_copy(update={"digest": "1" * 64, **change}))


@pytest.mark.parametrize("path", ["../objects/models/tiny", "/etc", "models//tiny", "models/../../x", ""])
def test_what_lies_elsewhere_cannot_be_named(path: str):
    with pytest.raises(ValueError, match="path"):
        StoredModel(path=path, digest="0" * 64, name="x", place="x")


def test_a_model_that_is_not_leased_does_not_answer(address: EngineAddress):
    body = {"model": "2" * 64, "messages": PROMPT, "max_tokens": 4, "stream": True}
    with httpx.Client(transport=httpx.HTTPTransport(uds=address.socket), base_url=address.url) as client:
        refused = client.post("/v1/chat/completions", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")


def test_a_model_is_loaded_once_and_goes_with_the_last_who_holds_it(address: EngineAddress, tmp_path: Path):
    loaded: list[str] = []

    def load(stored: StoredModel) -> Told:
        loaded.append(stored.name)
        return Told()

    host = ModelHost(load)
    with engine_service(host, tmp_path) as here:
        leases = ModelLeases(here, SERVING)
        held = [leases.open(OTHER), leases.open(OTHER)]
        assert loaded == ["other"]
        held.pop()
        gc.collect()
        time.sleep(0.1)
        assert host.leased == (OTHER.digest,)
        held.clear()
        gc.collect()
        wait_until(lambda: host.leased == ())
        held.append(leases.open(OTHER))
        leases.close()
        assert host.leased == (), "who stops gives back what is still held"


def test_a_lease_that_is_not_renewed_ends():
    now = 0.0
    host = ModelHost(lambda _: Told(), seconds=20, clock=lambda: now)
    wait_until(lambda: host.lease(OTHER, "a") is not None)
    now = 15.0
    host.lease(OTHER, "b")
    now = 30.0
    assert host.leased == (OTHER.digest,)
    assert host.find(OTHER.digest) is not None
    now = 36.0
    assert host.leased == ()
    assert host.find(OTHER.digest) is None
    host.close()


def test_a_model_that_failed_to_load_is_tried_again_when_somebody_asks_again():
    def load(_: StoredModel) -> Told:
        raise MemoryError(tried.append(1))

    tried: list[int] = []
    host = ModelHost(load)
    for times in (1, 2):
        with pytest.raises(ModelNotLoadedError, match=r"it cannot be loaded \(MemoryError\)"):
            wait_until(lambda: host.lease(OTHER, "a") is not None)
        assert len(tried) == times
    assert host.find(OTHER.digest) is None
    host.close()


def test_a_restarted_service_gets_its_models_back_from_those_who_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(model_leases, "_RENEW_EVERY", 0.02)
    with told(tmp_path) as (_, host, leases):
        engine = leases.open(OTHER)
        host.give_back(OTHER.digest, host_leases(host)[0])
        wait_until(lambda: host.leased == (OTHER.digest,))
        assert engine.generate(PROMPT, Sampling(50)).text == Told().says


def test_who_leaves_frees_the_engine(tmp_path: Path):
    with told(tmp_path) as (engine, _, leases):
        engine.pause = 0.1
        stream = leases.open(OTHER).stream(PROMPT, Sampling(50))
        assert isinstance(next(stream), Piece)
        stream.close()
        assert engine.noticed.wait(10)


def test_where_the_queue_is_full_the_engine_is_saturated_and_says_when_to_come_again(tmp_path: Path):
    with told(tmp_path) as (engine, _, leases):
        engine.pause = 0.1
        asked = leases.open(OTHER)
        # One writes, one gathers.
        under_way = [asked.stream(PROMPT, Sampling(50)) for _ in range(2)]
        for stream in under_way:
            next(stream)
        rival = leases.open(OTHER)
        with pytest.raises(EngineError) as refused:
            rival.generate(PROMPT, Sampling(50))
        assert refused.value.kind is Failure.SATURATED
        assert refused.value.retry_after
        for stream in under_way:
            stream.close()


def test_who_waits_hears_signs_of_life_and_from_a_dead_service_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_api, "_SIGN_OF_LIFE", 0.05)
    monkeypatch.setattr(model_leases, "_SILENCE", 0.2)
    with told(tmp_path) as (engine, _, leases):
        asked = leases.open(OTHER)
        engine.says, engine.pause = "Slow.", 0.6
        assert asked.generate(PROMPT, Sampling(50)).text == "Slow."
        monkeypatch.setattr(engine_api, "_SIGN_OF_LIFE", 10.0)
        with pytest.raises(EngineError) as failed:
            asked.generate(PROMPT, Sampling(50))
        assert failed.value.kind is Failure.FAILED


class Midway(Told):
    """A model that fails after its first word."""

    def stream(
        self, messages: Sequence[Message], sampling: Sampling, cancelled: Cancellation | None = None
    ) -> Iterator[Piece | Generated]:
        yield Piece("Keep")
        yield from super().stream(messages, sampling, cancelled)


@pytest.mark.parametrize("kind", [Failure.FAILED, Failure.DEADLINE, Failure.SATURATED, Failure.REFUSED])
def test_an_engine_that_fails_in_the_middle_ends_the_stream_with_an_error_of_its_kind(tmp_path: Path, kind: Failure):
    with told(tmp_path, engine=Midway()) as (engine, _, leases):
        asked = leases.open(OTHER)
        engine.fails = EngineError("the model failed (RuntimeError)", kind=kind)
        heard: list[Piece | Generated] = []
        for ask in (asked.generate, lambda *how: heard.extend(asked.stream(*how))):
            with pytest.raises(EngineError, match="the chat model") as failed:
                ask(PROMPT, Sampling(5))
            assert failed.value.kind is kind
        assert heard == [Piece("Keep")]


def test_a_model_that_takes_longer_than_it_may_is_late_and_has_not_failed(tmp_path: Path):
    with told(tmp_path, Serving(batch=1, waiting=0, deadline_seconds=0.3)) as (engine, _, leases):
        patient = ModelLeases(leases._address, SERVING)
        asked = patient.open(OTHER)
        engine.says, engine.pause = "Keep the span.", 0.2
        with pytest.raises(EngineError) as failed:
            list(asked.stream(PROMPT, Sampling(5)))
        assert failed.value.kind is Failure.DEADLINE
        patient.close()


def test_nobody_there_is_said_after_a_while(tmp_path: Path):
    leases = ModelLeases(EngineAddress.of(f"file://{tmp_path}/nobody.sock"), SERVING, patience=0.1)
    with pytest.raises(EngineUnreachableError, match="does not answer"):
        leases.open(OTHER)
    leases.close()


def test_at_a_port_only_who_has_the_key_is_heard(monkeypatch: pytest.MonkeyPatch):
    assert not engine_keyring().needed
    monkeypatch.setenv(model_leases.KEY_VARIABLE, "the-right-one")
    with engine_service(ModelHost(lambda _: Told()), None, keyring=engine_keyring()) as address:
        known = ModelLeases(address, SERVING)
        assert isinstance(known.open(OTHER).generate(PROMPT, Sampling(50)), Generated)
        known.close()
        monkeypatch.setenv(model_leases.KEY_VARIABLE, "another")
        stranger = ModelLeases(address, SERVING, patience=0.0)
        with pytest.raises(EngineUnreachableError, match="answers 401"):
            stranger.open(OTHER)
        stranger.close()


def joined(pieces: Sequence[Piece | Generated]) -> str:
    return "".join(piece.text for piece in pieces)


def host_leases(host: ModelHost) -> list[str]:
    return [lease for kept in host._kept.values() for lease in kept.leases]


def wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not so() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert so()
