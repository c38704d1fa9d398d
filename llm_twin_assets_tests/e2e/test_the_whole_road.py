"""From a `twin.yaml` to an answer over HTTP, by the daemon, the webserver and the service as they run for a person."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
from dagster._core.workspace.load_target import WorkspaceFileTarget

from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.released import read_served
from llm_twin_assets.instance import open_instance
from llm_twin_assets.lineage.graph import Kind
from llm_twin_assets.lineage.reading import trace
from llm_twin_assets.release.bento import bento_files, bento_tag
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.e2e import small_author
from llm_twin_assets_tests.e2e.dagster_graphql import Dagster, until
from llm_twin_assets_tests.e2e.small_author import AUTHOR, QUESTION
from llm_twin_assets_tests.forgetting.remembered import traces
from resources.object_store import ObjectStore
from resources.settings import Environment, Settings
from resources.warehouse import Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WORKSPACE = Path(__file__).parents[2] / "workspace.yaml"
FERRY = "What the ferry taught me"
# What a run of a busy machine with two cores may take; on a free one it is a tenth of that.
PATIENCE = 300


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home beside a `twin.yaml` of one author: all that the daemon is given."""
    config = small_author.write_config(
        tmp_path / "twin.yaml", small_author.write_notes(tmp_path / "notes"), max_steps=4
    )
    monkeypatch.setenv("TWIN_CONFIG", str(config))
    open_instance(Environment.current())
    return Path(Environment.current().home)


@pytest.fixture
def dagster(home: Path, tmp_path: Path) -> Iterator[Dagster]:
    """The webserver and the daemon on one code server, which loads what workspace.yaml names.

    Told workspace.yaml itself, each would start its own, and the daemon another one every minute: 4 s of a processor
    each time.
    """
    environment = small_author.variables(home, tmp_path / "twin.yaml")
    code, port = servers.free_port(), servers.free_port()
    workspace = _on_code_server(code, tmp_path / "workspace.yaml")
    with ExitStack() as stack:
        stack.enter_context(servers.running(_code_server(code), environment, tmp_path / "code.log"))
        servers.wait_until(lambda: servers.is_open(code))
        daemon = ["dagster._daemon", "run", *workspace]
        stack.enter_context(servers.running(daemon, environment, tmp_path / "daemon.log"))
        webserver = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *workspace]
        stack.enter_context(servers.running(webserver, environment, tmp_path / "webserver.log"))
        servers.wait_for(f"http://127.0.0.1:{port}/server_info")
        yield Dagster(f"http://127.0.0.1:{port}")


def _code_location() -> ManagedGrpcPythonEnvCodeLocationOrigin:
    """What Dagster takes from workspace.yaml."""
    [origin] = WorkspaceFileTarget([str(WORKSPACE)]).create_origins()
    assert isinstance(origin, ManagedGrpcPythonEnvCodeLocationOrigin)
    return origin


def _code_server(port: int) -> list[str]:
    found = _code_location()
    module = found.loadable_target_origin.module_name
    assert module
    return ["dagster", "api", "grpc", "-h", "127.0.0.1", "-p", str(port), "-m", module,
            "--location-name", found.location_name]  # fmt: skip


def _on_code_server(port: int, file: Path) -> list[str]:
    server = {"host": "127.0.0.1", "port": port, "location_name": _code_location().location_name}
    file.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    return ["-w", str(file)]


def test_exports_become_a_twin_that_answers_once_a_person_says_yes(
    dagster: Dagster, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(capsys)

    def failed() -> str:
        return "".join(dagster.failure(run) for run in dagster.runs("FAILURE"))

    until(lambda: AUTHOR in dagster.authors(), "the author's registration", PATIENCE)
    clock.say("registered")
    until(lambda: dagster.materializations("raw/files", AUTHOR), "the first collection", PATIENCE, dead=failed)
    clock.say("collected")
    until(lambda: dagster.materializations("datasets/instruct", AUTHOR), "the dataset", PATIENCE, dead=failed)
    clock.say("dataset")
    until(lambda: dagster.materializations("models/candidate", AUTHOR), "the candidate", PATIENCE, dead=failed)
    clock.say("trained")
    until(lambda: dagster.materializations("models/evaluation", AUTHOR), "the evaluation", PATIENCE, dead=failed)
    clock.say("evaluated")
    assert dagster.materializations("release/deployed", AUTHOR) == []

    # Whoever reaches the webserver can say that a model was approved. Deployment asks the record, not the event.
    dagster.forge_materialization("release/approved_model", AUTHOR)
    dagster.forge_over_rest("release/approved_model", AUTHOR)
    dagster.forge_materialization("release/approved_model", "noor")
    refused = until(lambda: dagster.runs("FAILURE", "release/deployed"), "the refusal", PATIENCE)
    assert "no model of 'maya' has been approved" in dagster.failure(refused[0])
    assert not list((home / "objects").glob("releases/**/*.json"))
    clock.say("forgery refused")

    evaluated = dagster.materializations("models/evaluation", AUTHOR)[0]
    dagster.launch("approve_model", approval(evaluated["model_version"]))
    until(lambda: dagster.materializations("release/deployed", AUTHOR), "the release", PATIENCE)
    clock.say("released")
    assert dagster.runs("FAILURE") == dagster.runs("FAILURE", "release/deployed"), (
        "each forgery may be refused by itself"
    )
    assert not list((home / "objects").glob("releases/noor/*"))

    released = dagster.materializations("release/deployed", AUTHOR)[0]
    assert released["approver"] == "a test"
    nowhere = f"http://127.0.0.1:{servers.free_port()}"  # no Phoenix: that must cost the caller nothing
    with servers.service(home, nowhere, tmp_path / "service.log") as url:
        servers.wait_for(f"{url}/readyz")
        clock.say("served")
        assert_answers(url, released["release"], Warehouse(str(home / "warehouse")))
        assert_the_command_answers(url, released["release"], small_author.variables(home, tmp_path / "twin.yaml"))
        clock.say("answered")
        assert_the_way_back_is_on_record(released["release"], Warehouse(str(home / "warehouse")))
        assert_it_can_be_forgotten(url, home, small_author.variables(home, tmp_path / "twin.yaml"))
        clock.say("forgotten")


def assert_answers(url: str, release: str, warehouse: Warehouse) -> None:
    """The release that was made answers, and each citation is what stands at its span in the author's document."""
    assert httpx.get(f"{url}/v1/releases/current", timeout=60).json()["release"] == release
    asked = httpx.post(f"{url}/v1/answer", json={"question": QUESTION, "author": AUTHOR}, timeout=60)
    answer = asked.raise_for_status().json()
    assert answer["release"] == release
    assert answer["answer"]
    rows = warehouse.read(f"cleaned/{Category.ARTICLE.plural}", AUTHOR).to_pylist()
    texts = {row["document_id"]: row["text"] for row in rows}
    titles = [cited["title"] for cited in answer["citations"]]
    assert FERRY in titles
    for cited in answer["citations"]:
        assert cited["quote"]
        assert texts[cited["document_id"]][cited["start"] : cited["end"]] == cited["quote"]


def assert_the_way_back_is_on_record(release: str, warehouse: Warehouse) -> None:
    """The release leads back to every raw document, and names the bento that this code makes."""
    found = trace(release, [AUTHOR], Environment.current(), down=False).lineage.nodes
    kinds = {key.kind for key in found}
    assert {Kind.APPROVAL, Kind.EVALUATION, Kind.MODEL, Kind.PARAMETERS, Kind.DATASET, Kind.SNAPSHOT} <= kinds
    rows = warehouse.read(f"raw/{Category.ARTICLE.plural}", AUTHOR, ["document_id"]).to_pylist()
    assert {row["document_id"] for row in rows} <= {key.id for key in found if key.kind is Kind.RAW}
    assert [key.id for key in found if key.kind is Kind.SERVICE] == [bento_tag(bento_files(Settings.load()))]


def assert_the_command_answers(url: str, release: str, environment: dict[str, str]) -> None:
    """`twin ask` gives a program the same answer that HTTP gives."""
    command = [str(Path(sys.executable).with_name("twin")), "ask", QUESTION, "--author", AUTHOR, "--json"]
    environment = {**environment, "TWIN_SERVICE_URL": url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
    answer = json.loads(done.stdout)
    assert answer["release"] == release
    assert answer["citations"]


def assert_it_can_be_forgotten(url: str, home: Path, environment: dict[str, str]) -> None:
    """After `twin forget` the same service answers without the document, and only the dataset still has it."""
    question = {"question": QUESTION, "author": AUTHOR}
    cited = httpx.post(f"{url}/v1/answer", json=question, timeout=60).json()["citations"]
    [ferry] = {each["document_id"] for each in cited if each["title"] == FERRY}
    command = [str(Path(sys.executable).with_name("twin")), "forget", ferry, "--yes"]
    environment = {**environment, "TWIN_SERVICE_URL": url}

    def forgets() -> bool:
        # It refuses while the daemon runs something, and goes on where it was when it is said again.
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0 or "runs are going on" in done.stderr, done.stderr
        return done.returncode == 0

    until(forgets, "the forgetting", PATIENCE)
    release = httpx.get(f"{url}/v1/releases/current", timeout=60).json()["release"]
    record = read_served(ObjectStore(str(home / "objects")), AUTHOR)
    assert record is not None
    assert (record.release_id, record.decision) == (release, "forget")
    answer = httpx.post(f"{url}/v1/answer", json=question, timeout=60).raise_for_status().json()
    assert answer["release"] == release
    assert FERRY not in [each["title"] for each in answer["citations"]]
    left = {path.parts[:2] for path in traces(home, "comes back at six")}
    assert left <= {("objects", "datasets")}, left


def approval(version: str) -> dict[str, object]:
    said = {"author": AUTHOR, "model_version": version, "approver": "a test", "reason": "it passed the gate"}
    return {"ops": {"approve_model_op": {"config": said}}}


class Clock:
    """Says when each stage was reached: a minute's silence tells nobody where a test hangs."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._started = time.monotonic()

    def say(self, stage: str) -> None:
        with self._capsys.disabled():
            print(f"\n  {time.monotonic() - self._started:6.1f} s  {stage}", end="", flush=True)  # noqa: T201
