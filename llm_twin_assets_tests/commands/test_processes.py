"""Servers are started, waited for, and gone afterwards with everything that they started."""

import importlib.util
import os
import re
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from llm_twin_assets.commands.processes import ServerError, answers, free_port, server, server_environment
from resources.settings import Environment

# A server with a worker of its own, as BentoML's and MLflow's have.
WITH_A_CHILD = """
import http.server, pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[2]).write_text(str(child.pid))
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""


def test_a_server_answers_inside_the_block_and_is_gone_after_it_with_its_children(tmp_path: Path) -> None:
    port, pid_file = free_port(0), tmp_path / "child"
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-c", WITH_A_CHILD, str(port), str(pid_file)]
    with server("the server", command, url, os.environ, tmp_path / "log"):
        assert answers(url)
        child = int(pid_file.read_text())
        assert is_alive(child)
    assert not answers(url)
    deadline = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)


def test_a_server_is_stopped_when_the_block_fails(tmp_path: Path) -> None:
    port = free_port(0)
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]

    def fail_inside() -> None:
        with server("the server", command, url, os.environ, tmp_path / "log"):
            assert httpx.get(url).is_success
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert not answers(url)


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no licence'); raise SystemExit(3)"]
    url = f"http://127.0.0.1:{free_port(0)}/"
    with (
        pytest.raises(ServerError, match=r"the server ended with code 3.*log"),
        server("the server", command, url, os.environ, tmp_path / "log"),
    ):
        pass
    assert "no licence" in (tmp_path / "log").read_text()


def test_a_server_that_never_answers_is_given_up_and_stopped(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"import os, pathlib, time; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(600)"
    url = f"http://127.0.0.1:{free_port(0)}/"
    with (
        pytest.raises(ServerError, match="was not ready within 2 s"),
        server("the server", [sys.executable, "-c", script], url, os.environ, tmp_path / "log", seconds=2),
    ):
        pass
    assert not is_alive(int(pid_file.read_text()))


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def test_every_server_stays_on_this_machine_and_is_silent() -> None:
    variables = server_environment(Environment.current(), phoenix_port=1234)
    assert variables["PHOENIX_HOST"] == "127.0.0.1"
    assert variables["PHOENIX_URL"] == "http://127.0.0.1:1234"
    assert variables["PHOENIX_TELEMETRY_ENABLED"] == variables["PHOENIX_ALLOW_EXTERNAL_RESOURCES"] == "false"
    assert variables["PHOENIX_DISABLE_AGENT_ASSISTANT"] == variables["PHOENIX_AGENTS_DISABLE_BASH"] == "true"
    assert variables["PHOENIX_ENABLE_MCP_SERVER"] == "false"
    assert variables["PHOENIX_WORKING_DIR"] == str(Environment.current().local("phoenix"))
    assert variables["BENTOML_DO_NOT_TRACK"] == variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert Path(variables["DAGSTER_HOME"], "dagster.yaml").is_file()


def test_phoenix_knows_every_switch_that_we_set_and_where_its_database_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_SQL_DATABASE_URL", "postgresql://phoenix@db/phoenix")
    variables = server_environment(Environment.current())
    assert variables["PHOENIX_SQL_DATABASE_URL"] == "postgresql://phoenix@db/phoenix"
    # Read and not imported: that takes seconds.
    [package] = importlib.util.find_spec("phoenix").submodule_search_locations
    known = set(re.findall(r'"(PHOENIX_\w+)"', Path(package, "config.py").read_text(encoding="utf-8")))
    ours = {name for name in variables if name.startswith("PHOENIX_")} - {"PHOENIX_URL"}
    assert ours - known == set()


def is_alive(process: int) -> bool:
    """Whether it runs; one that has ended but that nobody has asked about yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
