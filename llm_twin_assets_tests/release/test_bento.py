"""What a bento holds and asks for; and a real one, built by BentoML."""

import importlib.util
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from bentos.configuration import service_settings
from llm_twin_assets.release.bento import REQUIREMENTS, BentoError, Built, bento_files, bento_tag, build
from llm_twin_assets.release.deployment import deploy
from llm_twin_assets_tests.commands.conftest import configure as configure
from llm_twin_assets_tests.commands.conftest import twin as twin
from llm_twin_assets_tests.commands.typed import Configure, Twin, said
from llm_twin_assets_tests.imports import OURS, ROOT, closure, imported
from llm_twin_assets_tests.release.test_deployment import MODEL, SERVED, approval
from resources.object_store import ObjectStore
from resources.settings import Environment, Settings

# What collects, trains, evaluates, records and watches.
NOT_SERVING = {
    "dagster", "dagster-webserver", "trl", "mlflow", "mlflow-skinny", "arize-phoenix", "arize-phoenix-client",
    "optuna", "datasets", "deltalake", "matplotlib", "trafilatura", "pytest", "gunicorn",
}  # fmt: skip
# Asked for only where the embedding is told to run on them.
OPTIONAL = {"onnxruntime", "openvino"}
# Of packages that are not imported by their own name.
DISTRIBUTIONS = {"opentelemetry": "opentelemetry-sdk", "weaviate": "weaviate-client", "yaml": "pyyaml"}


@pytest.fixture(scope="module")
def settings() -> Settings:
    authors = {"maya": {"name": "Maya Lindqvist", "emails": ["maya@example.org"], "sources": [{"platform": "files"}]}}
    return Settings.model_validate({"authors": authors, "serving": {"k": 3}})


@pytest.fixture(scope="module")
def files(settings: Settings) -> dict[str, bytes]:
    return bento_files(settings)


@pytest.fixture(scope="module")
def pinned(files: dict[str, bytes]) -> set[str]:
    lines = [line for line in files[REQUIREMENTS].decode().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+", line) for line in lines)
    return {canonicalize_name(line.partition("==")[0]) for line in lines}


def modules(files: dict[str, bytes]) -> set[str]:
    named = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files if path[-3:] == ".py"
    }
    return named - {"bentos", "resources", "llm_twin_assets"} | set(OURS)


@pytest.fixture(scope="module")
def drawn_in() -> tuple[set[str], set[str]]:
    """Our modules and others' packages that the service imports, now or later."""
    return closure("bentos.service", "bentos.smoke")


def test_it_holds_every_module_that_the_service_draws_in(
    files: dict[str, bytes], drawn_in: tuple[set[str], set[str]]
) -> None:
    ours, _ = drawn_in
    assert ours - modules(files) == set()


def test_it_holds_nothing_that_imports_training_or_the_graph(files: dict[str, bytes]) -> None:
    packages = {name.split(".")[0] for path in files if path.endswith(".py") for name in imported(ROOT / path)}
    assert "bentoml" in packages
    assert packages & {"dagster", "trl", "mlflow", "phoenix", "optuna", "datasets", "deltalake"} == set()
    assert not [path for path in files if "_tests" in path or path.startswith("llm_twin_assets/collection")]


def test_it_holds_the_shipped_base(files: dict[str, bytes]) -> None:
    assert "llm_twin_assets/training/tiny_llama/model/model.safetensors" in files
    assert "llm_twin_assets/training/tiny_llama/__init__.py" in files  # the base is found by its package


def test_its_packages_are_pinned_as_everywhere(pinned: set[str]) -> None:
    spec = importlib.util.spec_from_file_location("bento_requirements", ROOT / ".ci" / "bento_requirements.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    mend = "constraints.txt or bentos/requirements.in changed: run .venv/bin/python .ci/bento_requirements.py"
    assert (ROOT / REQUIREMENTS).read_text(encoding="utf-8") == script.lock(), mend
    assert len(pinned) > 50


def test_its_packages_are_those_that_serve(pinned: set[str], drawn_in: tuple[set[str], set[str]]) -> None:
    assert pinned & NOT_SERVING == set()
    _, others = drawn_in
    wanted = {canonicalize_name(DISTRIBUTIONS.get(name, name)) for name in others - OPTIONAL}
    assert wanted - pinned == set()


def test_its_name_follows_its_content(files: dict[str, bytes], settings: Settings) -> None:
    tag = bento_tag(files)
    assert re.fullmatch(r"twin:[0-9a-f]{12}", tag)
    assert bento_tag(dict(reversed(files.items()))) == tag
    assert bento_tag({**files, "bentos/desk.py": files["bentos/desk.py"] + b"\n"}) != tag
    other = settings.model_copy(update={"serving": settings.serving.model_copy(update={"k": 4})})
    assert bento_tag(bento_files(other)) != tag


def test_it_takes_along_how_to_serve_and_nothing_of_the_author(files: dict[str, bytes]) -> None:
    taken = yaml.safe_load(files["bentos/serving.yaml"])
    assert set(taken) == {"serving", "access", "embedding", "retrieval", "tracing", "scrub", "public"}
    assert taken["serving"]["k"] == 3
    assert not any(b"maya@example.org" in content for content in files.values())


def test_a_bento_serves_as_it_was_told_unless_there_is_a_twin_yaml(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "serving.yaml").write_bytes(files["bentos/serving.yaml"])
    monkeypatch.setattr("bentos.configuration.TAKEN_ALONG", tmp_path / "serving.yaml")
    environment = Environment(home="", config=tmp_path / "twin.yaml", service_url="", phoenix_url="")
    assert service_settings(environment).serving.k == 3
    authors = {"maya": {"name": "Maya", "sources": [{"platform": "files"}]}}
    environment.config.write_text(yaml.safe_dump({"authors": authors, "serving": {"k": 5}}), encoding="utf-8")
    assert service_settings(environment).serving.k == 5


@pytest.fixture(scope="module")
def built(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Built:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        made = build(files)
        assert build(files) == Built(made.tag, made.path, made.size, reused=True)
    return made


def test_bentoml_builds_it(built: Built, files: dict[str, bytes]) -> None:
    assert not built.reused
    stated = yaml.safe_load((built.path / "bento.yaml").read_text(encoding="utf-8"))
    assert f"{stated['name']}:{stated['version']}" == built.tag == bento_tag(files)
    # BentoML looks at an app's own routes alone, which is where all others are described.
    assert "/v1/openapi.json" in stated["schema"]["paths"]
    source = {path.relative_to(built.path / "src").as_posix() for path in (built.path / "src").rglob("*.*")}
    assert {path for path in files if path.endswith(".py")} == {path for path in source if path.endswith(".py")}
    asked_for = (built.path / "env" / "python" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert set(files[REQUIREMENTS].decode().splitlines()) <= {*asked_for}
    assert [line for line in asked_for if "==" not in line and not line.startswith("#")] == []


def test_a_bento_that_cannot_be_imported_is_an_error_and_leaves_none(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    broken = {**files, "bentos/service.py": b"import no_such_package\n"}
    with pytest.raises(BentoError, match="no_such_package"):
        build(broken)
    assert not (tmp_path / "bentos" / bento_tag(broken).replace(":", "/")).exists()


def test_the_bento_of_a_release_is_the_one_it_names_or_none(
    twin: Twin, configure: Configure, objects: ObjectStore, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    assert "there is no release 'maya-000001'" in said(twin("bento", "maya-000001"))
    own = bento_tag(bento_files(Settings.load()))
    for version, service in (("1", "twin:000000000000"), ("2", own)):
        model = replace(MODEL, version=version)
        deploy(objects, approval(objects, version, now), model, replace(SERVED, service=service, code_version="9"), now)
    refused = said(twin("bento", "maya-000001"))
    assert f"is served by twin:000000000000; this code and twin.yaml make {own}" in refused
    assert "Take code version 9" in refused
    monkeypatch.setattr("llm_twin_assets.commands.bento.build_bento", lambda files: Built(own, Path("there"), 1, True))
    assert json.loads(twin("bento", "maya-000002", "--json").stdout)["tag"] == own
