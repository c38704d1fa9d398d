"""The question that the service answers on a release before it serves."""

from pathlib import Path

import pytest

from bentos import releases
from bentos import smoke as service_side
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.engine import EngineError
from llm_twin_assets.release.smoke import SmokeFailedError, smoke_test
from llm_twin_assets_tests.bentos.scripted import Scripted
from llm_twin_assets_tests.inference import tiny_twin
from resources.embedder import Embedder
from resources.settings import Environment


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder("sentence-transformers/all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    made = tmp_path_factory.mktemp("home")
    tiny_twin.embed_documents(made, embedder)
    tiny_twin.write_model(made / "objects" / "models" / "tiny")
    return made


@pytest.fixture(scope="module")
def environment(home: Path) -> Environment:
    return Environment(home=str(home), config=home / "none.yaml", service_url="", phoenix_url="")


@pytest.fixture
def release(home: Path, embedder: Embedder) -> Release:
    return tiny_twin.pinned(home, tiny_twin.release(embedder))


def test_a_release_that_answers_with_true_citations_passes(release: Release, environment: Environment) -> None:
    said = service_side.smoke_test(release, environment)
    assert said.startswith(("quoted with ", "answered with "))


def test_a_twin_that_is_to_quote_passes_without_a_model(
    release: Release, environment: Environment, tmp_path: Path
) -> None:
    quoting = environment.model_copy(update={"config": tmp_path / "twin.yaml"})
    quoting.config.write_text(
        "authors: {maya: {name: Maya, sources: [{platform: files}]}}\nserving: {engine: extractive}\n"
    )
    unread = release.model_copy(update={"model_path": "models/none"})
    assert service_side.smoke_test(unread, quoting).startswith("quoted with ")


def test_a_model_that_does_not_answer_fails_though_quotes_would_do(
    release: Release, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "engine_of", lambda *_: Scripted(fails=EngineError("out of memory")))
    with pytest.raises(service_side.SmokeError, match=r"its model does not answer: .*out of memory"):
        service_side.smoke_test(release, environment)


def test_a_citation_that_does_not_stand_at_its_place_fails(
    release: Release, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_side, "_stands", lambda *_: False)
    with pytest.raises(service_side.SmokeError, match="does not stand at its place"):
        service_side.smoke_test(release, environment)


@pytest.mark.parametrize(("shift", "stands"), [(0, True), (1, False)])
def test_a_quotation_is_compared_character_by_character(shift: int, stands: bool) -> None:
    chunks = [{"text": "I chunk by ", "start": 10}, {"text": "by headings.", "start": 18}]
    quote = service_side.CitationOut(
        marker=1,
        document_id="d",
        url=None,
        title="t",
        start=12 + shift,
        end=26 + shift,
        quote="chunk by headi",
        score=1,
    )
    assert service_side._stands(quote, chunks) is stands


@pytest.mark.slow
def test_a_release_that_cannot_be_opened_is_told_in_one_line_by_a_process_of_its_own(
    release: Release, environment: Environment
) -> None:
    with pytest.raises(SmokeFailedError, match="no snapshot 'gone'") as raised:
        smoke_test(release.model_copy(update={"snapshot": "gone"}), environment, 300)
    assert "Nothing was switched" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_service_that_does_not_end_fails_in_time(release: Release, environment: Environment) -> None:
    with pytest.raises(SmokeFailedError, match="did not answer within 0 s"):
        smoke_test(release, environment, 0.01)
