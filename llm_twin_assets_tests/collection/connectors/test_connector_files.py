import json
import os
from datetime import UTC, datetime

import pytest

from llm_twin_assets.collection.connector import Found, Listed, Quarantined, Remember, Seen
from llm_twin_assets.collection.connectors.files import CONNECTOR, FilesOptions
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited

FILES = {
    "yaml.md": "---\ntitle: From YAML\ndate: 2024-01-02\ntags: [Loom]\n---\n\n# Heading\n\nText  \nmore\n",
    "toml.md": '+++\ntitle = "From TOML"\ndate = 2024-01-03T10:00:00+02:00\n+++\n\nText\n',
    "sub/heading.md": "Intro\n\n```sh\n# not this\n```\n\n# From the H1 #\n\nText\n",
    "sub/2024-01-05-just-a-name.md": "Text\n",
    "sub/index.md": "# Index\n",
    "draft.md": "---\ndraft: true\n---\nText\n",
    ".obsidian/x.md": "hidden\n",
    "LICENSE.md": "MIT\n",
    "requirements.txt": "numpy\n",
}
OLD = 1_700_000_000


def collect(path, memory=None, **options):
    return visited(CONNECTOR, FilesOptions(path=path, **options), memory)


def found(events):
    return {event.title: event for event in events if isinstance(event, Found)}


@pytest.fixture
def aged(folder):
    """A folder whose files were written long ago."""

    def write(files, name="notes"):
        root = folder(files, name)
        for file in files:
            os.utime(root / file, (OLD, OLD))
        return root

    return write


def test_titles_dates_and_addresses(folder) -> None:
    options = FilesOptions(path=folder(FILES), base_url="https://maya.example/")
    pages = found(assert_connector(CONNECTOR, options))
    assert set(pages) == {"From YAML", "From TOML", "From the H1", "2024 01 05 just a name", "Index"}
    assert pages["From YAML"].content == "# Heading\n\nText  \nmore\n"
    assert pages["From YAML"].tags == ("Loom",)
    assert pages["From YAML"].published_at == datetime(2024, 1, 2, tzinfo=UTC)
    assert pages["From TOML"].published_at == datetime(2024, 1, 3, 8, tzinfo=UTC)
    assert pages["2024 01 05 just a name"].published_at == datetime(2024, 1, 5, tzinfo=UTC)
    assert pages["From the H1"].url == "https://maya.example/sub/heading"
    assert pages["Index"].url == "https://maya.example/sub"


def test_pages_text_and_notebooks_are_articles_too(folder) -> None:
    notebook = {
        "nbformat": 4,
        "metadata": {"language_info": {"name": "python"}},
        "cells": [
            {"cell_type": "markdown", "source": ["# Warp\n", "\n", "Text"]},
            {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"]}}]},
        ],
    }
    files = {
        "page.html": '<html><head><meta charset="latin-1"><title>A &amp; B</title></head><p>Caf\xe9</p>'.encode(
            "latin-1"
        ),
        "notes.txt": "Plain\ttext \n",
        "warp.ipynb": json.dumps(notebook),
        "data.json": "{}",
    }
    pages = found(assert_connector(CONNECTOR, FilesOptions(path=folder(files), base_url="https://maya.example")))
    assert set(pages) == {"A & B", "notes", "Warp"}
    assert (pages["A & B"].media_type, pages["A & B"].url) == ("text/html", "https://maya.example/page.html")
    assert "Café" in pages["A & B"].content
    assert (pages["notes"].media_type, pages["notes"].content) == ("text/plain", "Plain\ttext \n")
    assert pages["Warp"].content == "# Warp\n\nText\n\n```python\n1 + 1\n```\n"
    assert (pages["Warp"].media_type, pages["Warp"].url) == ("text/markdown", "https://maya.example/warp")


def test_patterns_choose_by_name_or_path(folder) -> None:
    root = folder({"a.md": "# A", "sub/b.md": "# B", "sub/c.txt": "C"})
    assert set(found(collect(root, include=("sub/*",)))) == {"B", "c"}
    assert set(found(collect(root, exclude=("*.txt", "a.md")))) == {"B"}


def test_a_file_that_did_not_change_is_not_read_again(aged) -> None:
    root = aged({"a.md": "# A\n", "b.md": "# B\n"})
    memory = remembered(collect(root))
    assert collect(root, memory) == [Seen("files:notes/a.md"), Seen("files:notes/b.md"), Listed()]
    (root / "a.md").write_text("# A, edited\n")
    (root / "b.md").unlink()
    events = collect(root, memory)
    assert set(found(events)) == {"A, edited"}
    assert Remember("file:b.md", None) in events


def test_a_file_that_was_written_just_now_is_read_again(folder) -> None:
    root = folder({"a.md": "# A\n"}, "notes")
    os.utime(root / "a.md", (datetime(2026, 1, 1, tzinfo=UTC).timestamp() - 1,) * 2)
    assert set(found(collect(root, remembered(collect(root))))) == {"A"}


def test_a_date_that_nobody_wrote_comes_from_the_first_commit(folder, git) -> None:
    root = folder({"notes/a.md": "# A\n", "notes/b ø.md": "# B\n"}, "repo")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    (root / "notes/a.md").write_text("# A\n\nmore\n")
    git(root, "commit", "-q", "-a", "-m", "two", date="2025-01-01T00:00:00+00:00")
    pages = found(collect(root / "notes")).values()
    assert {(page.published_at, page.dated_by) for page in pages} == {(datetime(2024, 5, 1, 10, tzinfo=UTC), "git")}


def test_without_git_mtime_dates_a_file(aged) -> None:
    (page,) = found(collect(aged({"a.md": "# A\n"}))).values()
    assert (page.dated_by, page.published_at) == ("mtime", datetime.fromtimestamp(OLD, UTC))


def test_bad_files_among_good_ones_are_quarantined_with_what_to_do_and_are_still_there(folder) -> None:
    root = folder(
        {
            "good.md": "# Good\n",
            "latin.md": "# Caf\xe9\n".encode("latin-1"),
            "bad.md": "---\ntitle: x\nfoo: [\n---\ntext\n",
            "empty.md": "",
            "broken.ipynb": "{",
        }
    )
    events = collect(root)
    assert set(found(events)) == {"Good"}
    said = {item.where.removeprefix(f"{root}/"): item.reason for item in quarantined(events)}
    assert set(said) == {"latin.md", "bad.md:4", "empty.md", "broken.ipynb"}
    assert "byte 5 is 0xe9" in said["latin.md"]
    assert "iconv -f ISO-8859-1 -t UTF-8" in said["latin.md"]
    assert "front matter is not YAML" in said["bad.md:4"]
    assert {event.stable_id for event in events if isinstance(event, Seen)} == {
        f"files:export/{name}" for name in ("latin.md", "bad.md", "empty.md", "broken.ipynb")
    }
    assert events[-1] == Listed()


def test_a_file_that_no_longer_can_be_read_is_seen_under_its_own_address(aged) -> None:
    root = aged({"a.md": "---\nurl: https://maya.example/a\n---\nText\n"})
    memory = remembered(collect(root))
    (root / "a.md").write_bytes(b"\xe9")
    events = collect(root, memory)
    assert isinstance(events[0], Quarantined)
    assert events[1:] == [Seen("https://maya.example/a"), Listed()]


def test_a_zip_that_did_not_change_is_no_new_sighting(archive) -> None:
    path = archive({"a.md": "# A\n"})
    first = collect(path)
    assert (set(found(first)), first[-2]) == ({"A"}, Listed())
    os.utime(path)
    assert collect(path, remembered(first)) == []


def test_an_empty_or_missing_folder_is_an_error(folder, tmp_path) -> None:
    with pytest.raises(ExportError, match="holds no Markdown file"):
        collect(folder({}))
    with pytest.raises(ExportError, match="there is no such file or folder"):
        collect(tmp_path / "missing")


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n")
    root = folder({"a.md": "# A\n"})
    (root / "b.md").symlink_to(tmp_path / "secret.md")
    assert set(found(collect(root))) == {"A"}
