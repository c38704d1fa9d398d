"""`twin extract`: many files in one call, whatever their charset; one that fails does not stop the others."""

import json
from pathlib import Path

import pytest

from llm_twin_assets_tests.commands.typed import Twin

WORDS = "Jag räknar trådarna innan jag varpar väven, för en tråd för lite syns först efter två timmars vävning. " * 4
PAGE = f"""<html lang="sv"><head><title>Att varpa</title><meta name="author" content="Maya Lindqvist">
<meta property="article:published_time" content="2026-02-01T08:00:00Z"></head>
<body><nav>Hem Om</nav><article><h1>Att varpa</h1><p>{WORDS}</p><pre><code class="language-py">x = 1</code></pre>
<p>{WORDS}</p></article></body></html>"""


def test_a_line_of_json_has_these_fields_and_no_others(twin: Twin, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    line = json.loads(twin("extract", str(page), "--json", "--url", "https://example.org/varp?x=1").stdout)
    assert list(line) == [
        "file", "title", "author", "published_at", "language", "canonical_url", "markdown", "text",
    ]  # fmt: skip
    assert (line["file"], line["title"], line["author"]) == (str(page), "Att varpa", "Maya Lindqvist")
    assert (line["published_at"], line["language"]) == ("2026-02-01T08:00:00+00:00", "sv")
    assert line["canonical_url"] == "https://example.org/varp?x=1"
    assert "```py\nx = 1\n```" in line["markdown"]
    assert line["text"].startswith("Jag räknar trådarna")


@pytest.mark.parametrize(
    ("charset", "meta"),
    [
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("latin-1", '<meta charset="iso-8859-1">'),
        ("cp1252", '<meta http-equiv="content-type" content="text/html; charset=windows-1252">'),
    ],
)
def test_a_file_is_read_in_its_own_charset(twin: Twin, tmp_path: Path, charset: str, meta: str) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(PAGE.replace("<head>", f"<head>{meta}").encode(charset))
    assert "Jag räknar trådarna" in json.loads(twin("extract", str(page), "--json").stdout)["text"]


def test_code_is_printed_as_it_is(twin: Twin, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE.replace("x = 1", "\ta = [':smile:', b[1]]  [bold]\n\tb"), encoding="utf-8")
    shown = twin("extract", str(page)).stdout
    assert shown.startswith("# Att varpa\n\n")
    assert "```py\n\ta = [':smile:', b[1]]  [bold]\n\tb\n```" in shown


def test_a_file_that_fails_is_named_and_the_others_go_on(twin: Twin, tmp_path: Path) -> None:
    good, empty, missing = tmp_path / "good.html", tmp_path / "empty.html", tmp_path / "missing.html"
    good.write_text(PAGE, encoding="utf-8")
    empty.write_text("<html><body></body></html>", encoding="utf-8")
    result = twin("extract", str(missing), str(empty), str(good), str(tmp_path), "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == [str(good)]
    errors = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in errors] == [
        ["error", str(missing)], ["error", str(empty)], ["error", str(tmp_path)],
    ]  # fmt: skip
    assert "no text was found on the page" in errors[1]


def test_newspaper_can_be_asked_instead(twin: Twin, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    line = json.loads(twin("extract", str(page), "--json", "--backend", "newspaper").stdout)
    assert (line["title"], line["language"]) == ("Att varpa", "sv")
    assert "räknar trådarna" in line["text"]
    assert "```py\nx = 1\n```" in line["markdown"]


def test_a_backend_that_is_none_is_refused(twin: Twin, tmp_path: Path) -> None:
    assert twin("extract", "x.html", "--backend", "guess").exit_code == 2
