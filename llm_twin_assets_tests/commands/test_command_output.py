"""What the commands print when all is well: for people, and as JSON for programs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_twin_assets.cli import app
from llm_twin_assets.commands import doctor
from llm_twin_assets.domain.release import Release
from llm_twin_assets.release.records import append, decisions, switch
from llm_twin_assets_tests.commands.typed import Configure, Twin
from llm_twin_assets_tests.inference import tiny_twin
from llm_twin_assets_tests.release.test_deployment import approval
from resources.embedder import Embedder
from resources.object_store import ObjectStore

PAGE = """<html><head><title>Warping a loom</title><meta name="author" content="Maya Lindqvist">
<meta property="article:published_time" content="2026-02-01T08:00:00Z"></head>
<body><nav>Home About</nav><article><h1>Warping a loom</h1>
<p>I count the threads before I warp the loom, because one thread too few shows only after two hours of weaving.</p>
<h2>Counting</h2><p>Forty heddles, four threads each, and a knot after every tenth so that nobody counts twice.</p>
</article></body></html>"""


def test_help_mentions_every_command(twin: Twin) -> None:
    shown = twin("--help").output
    names = [command.name for command in app.registered_commands]
    assert {"demo", "up", "run", "search", "ask", "approve", "reject", "releases", "doctor", "extract"} <= set(names)
    assert [name for name in names if f" {name} " not in shown] == []


@pytest.mark.parametrize("name", [command.name for command in app.registered_commands])
def test_every_command_explains_itself(twin: Twin, name: str) -> None:
    result = twin(name, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_a_page_becomes_markdown(twin: Twin, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    shown = twin("extract", str(page)).stdout
    assert "# Warping a loom" in shown
    assert "## Counting" in shown
    assert "Home About" not in shown


def test_pages_become_one_json_object_a_line(twin: Twin, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        (tmp_path / name).write_text(PAGE, encoding="utf-8")
    shown = twin(
        "extract", str(tmp_path / "one.html"), str(tmp_path / "two.html"), "--json", "--url", "https://example.org/loom"
    )
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["one.html", "two.html"]
    assert {line["title"] for line in lines} == {"Warping a loom"}
    assert all("one thread too few" in line["markdown"] for line in lines)


def test_doctor_finds_a_sound_machine_sound(twin: Twin, configure: Configure) -> None:
    configure()
    result = twin("doctor", "--json")
    assert [finding for finding in json.loads(result.stdout) if not finding["ok"]] == []
    assert result.exit_code == 0


def test_doctor_finds_what_is_missing_and_says_how_to_mend_it(twin: Twin, configure: Configure) -> None:
    configure(training={"base": "./no-such-base"}, embedding={"model": "nobody/no-such-embedder"})
    result = twin("doctor", "--json")
    assert result.exit_code == 1
    missing = {finding["subject"]: finding for finding in json.loads(result.stdout) if not finding["ok"]}
    assert set(missing) == {"base model", "embedding model"}
    assert "there is no folder './no-such-base'" in missing["base model"]["found"]
    assert all(finding["mend"] for finding in missing.values())
    shown = twin("doctor").stdout
    assert missing["base model"]["mend"] in shown


def test_doctor_names_what_is_missing_of_an_extra_and_how_to_get_it(
    twin: Twin, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(doctor._EXTRAS, "monitor", ("arize-phoenix", "no-such-package"))
    configure()
    [missing] = [finding for finding in json.loads(twin("doctor", "--json").stdout) if not finding["ok"]]
    assert (missing["subject"], missing["found"]) == ("extra 'monitor'", "missing: no-such-package")
    assert ".[monitor]" in missing["mend"]


def test_doctor_finds_an_unknown_platform(twin: Twin, configure: Configure) -> None:
    file = configure(platform="linkdin")
    missing = [finding for finding in json.loads(twin("doctor", "--json").stdout) if not finding["ok"]]
    assert [finding["subject"] for finding in missing] == ["twin.yaml"]
    assert str(file) in missing[0]["found"]


def on_record(objects: ObjectStore) -> Callable[[int], Release]:
    digests = [decided.digest for decided in decisions(objects, "maya")]
    return lambda number: released(number).model_copy(update={"approval_digest": digests[number - 1]})


def test_an_empty_home_has_no_releases(twin: Twin) -> None:
    assert "Nothing has been released yet." in twin("releases", "--author", "maya").stdout
    assert json.loads(twin("releases", "--author", "maya", "--json").stdout) == []


def test_releases_are_listed_newest_first_and_what_serves_is_marked(twin: Twin, objects: ObjectStore) -> None:
    for version in ("1", "2"):
        approval(objects, version, datetime(2026, 1, 1, tzinfo=UTC))
    first, second = (append(objects, "releases/maya", on_record(objects)) for _ in range(2))
    switch(objects, "releases/maya", first)  # the second was not yet switched to
    shown = twin("releases", "--author", "maya").stdout
    assert shown.index(second.release_id) < shown.index(first.release_id)
    assert [line.split()[1] for line in shown.splitlines() if "→" in line] == [first.release_id]

    listed = json.loads(twin("releases", "--author", "maya", "--json").stdout)
    assert [entry["release_id"] for entry in listed] == [first.release_id, second.release_id]


@pytest.mark.slow
def test_search_shows_what_it_finds(twin: Twin, configure: Configure, tmp_path: Path) -> None:
    configure()
    tiny_twin.embed_documents(tmp_path / "home", Embedder("sentence-transformers/all-MiniLM-L6-v2"))
    question = ["search", "the leak that made my model look brilliant", "--author", "maya"]
    found = json.loads(twin(*question, "--json", "-k", "2").stdout)
    assert len(found) == 2
    assert found[0]["title"] == "The leak that made my model look brilliant"
    assert found[0]["title"] in twin(*question).stdout
    assert {each["category"] for each in json.loads(twin(*question, "--json", "--category", "post").stdout)} == {"post"}
    assert json.loads(twin(*question, "--json", "--before", "1999-01-01").stdout) == []
    [section] = json.loads(twin(*question, "--json", "-k", "1", "--sections").stdout)
    assert section["start"] <= found[0]["start"]
    assert section["end"] >= found[0]["end"]
    assert found[0]["text"] in section["text"]


@pytest.mark.slow
def test_search_shows_the_scores_of_each_part(twin: Twin, configure: Configure, tmp_path: Path) -> None:
    configure()
    tiny_twin.embed_documents(tmp_path / "home", Embedder("sentence-transformers/all-MiniLM-L6-v2"))
    question = ["search", "the leak that made my model look brilliant", "--author", "maya"]
    shown = twin(*question).stdout
    heading, first = shown.splitlines()[:2]
    assert heading.split() == ["title", "meaning", "words", "fused"]
    [found, *_] = json.loads(twin(*question, "--json").stdout)
    assert f"#{found['dense_rank']} {found['dense_score']:.3f}" in first
    assert f"#{found['text_rank']} {found['text_score']:.3f}" in first
    assert f"{found['fused_score']:.3f}" in first
    assert "Nothing found." in twin(*question, "--before", "1999-01-01").stdout


def released(sequence: int) -> Release:
    return Release(
        release_id=f"maya-{sequence:06d}",
        author="maya",
        author_name="Maya Lindqvist",
        sequence=sequence,
        model_name="twin-maya",
        model_version=str(sequence),
        model_digest="0" * 64,
        model_path=f"models/maya/{sequence}",
        base="tiny-llama",
        dataset="d" * 64,
        snapshot="snapshot-0123456789ab",
        embedder="an-embedder",
        embedder_digest="1" * 64,
        prompt_digest="2" * 64,
        approval_sequence=sequence,
        approver="Noor",
        reason="reads well",
        verdict="better than base",
        released_at=datetime(2026, 2, sequence, tzinfo=UTC),
    )
