import os
from datetime import UTC, datetime

import pytest

from llm_twin_assets.collection.export import ExportError

FILES = {
    "yaml.md": "---\ntitle: From YAML\ndate: 2024-01-02\n---\n\n# Heading\n\nText  \nmore\n",
    "toml.md": '+++\ntitle = "From TOML"\ndate = 2024-01-03T10:00:00+02:00\n+++\n\nText\n',
    "sub/heading.md": "Intro\n\n```sh\n# not this\n```\n\n# From the H1 #\n\nText\n",
    "sub/2024-01-05-just-a-name.md": "Text\n",
    "sub/index.md": "# Index\n",
    "draft.md": "---\ndraft: true\n---\nText\n",
    ".obsidian/x.md": "hidden\n",
}


def test_titles_dates_and_addresses(folder, collect) -> None:
    found = {
        document.title: document
        for document in collect("files", path=folder(FILES), base_url="https://maya.example/").documents
    }
    assert set(found) == {"From YAML", "From TOML", "From the H1", "2024 01 05 just a name", "Index"}
    assert found["From YAML"].content == "# Heading\n\nText  \nmore\n"
    assert found["From YAML"].published_at == datetime(2024, 1, 2, tzinfo=UTC)
    assert found["From TOML"].published_at == datetime(2024, 1, 3, 8, tzinfo=UTC)
    assert found["2024 01 05 just a name"].published_at == datetime(2024, 1, 5, tzinfo=UTC)
    assert found["From the H1"].url == "https://maya.example/sub/heading"
    assert found["Index"].url == "https://maya.example/sub"


def test_a_date_that_nobody_wrote_comes_from_the_first_commit(folder, git, collect) -> None:
    root = folder({"notes/a.md": "# A\n", "notes/b ø.md": "# B\n"}, "repo")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    (root / "notes/a.md").write_text("# A\n\nmore\n")
    git(root, "commit", "-q", "-a", "-m", "two", date="2025-01-01T00:00:00+00:00")
    collected = collect("files", path=root / "notes")
    assert {document.published_at for document in collected.documents} == {datetime(2024, 5, 1, 10, tzinfo=UTC)}
    assert collected.dated_by == {"git": 2}


def test_without_git_mtime_dates_a_file_but_does_not_change_its_hash(folder, collect) -> None:
    root = folder({"a.md": "# A\n"})
    os.utime(root / "a.md", (1_700_000_000, 1_700_000_000))
    before = collect("files", path=root)
    os.utime(root / "a.md", (1_800_000_000, 1_800_000_000))
    after = collect("files", path=root)
    assert before.dated_by == {"mtime": 1}
    assert before.documents[0].published_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert before.documents[0].content_hash == after.documents[0].content_hash


def test_bad_files_among_good_ones_are_quarantined_with_what_to_do(folder, collect) -> None:
    root = folder(
        {
            "good.md": "# Good\n",
            "latin.md": "# Caf\xe9\n".encode("latin-1"),
            "bad.md": "---\ntitle: x\nfoo: [\n---\ntext\n",
            "empty.md": "",
        }
    )
    collected = collect("files", path=root)
    assert [document.title for document in collected.documents] == ["Good"]
    said = {item.where.removeprefix(f"{root}/"): item.reason for item in collected.quarantined}
    assert set(said) == {"latin.md", "bad.md:4", "empty.md"}
    assert "byte 5 is 0xe9" in said["latin.md"]
    assert "iconv -f ISO-8859-1 -t UTF-8" in said["latin.md"]
    assert "front matter is not YAML" in said["bad.md:4"]


def test_a_folder_of_nothing_but_bad_files_is_an_error(folder, collect) -> None:
    with pytest.raises(ExportError, match=r"latin\.md: none of its 1 documents can be read.*iconv"):
        collect("files", path=folder({"latin.md": b"\xe9"}))


def test_an_empty_or_missing_folder_is_an_error(folder, tmp_path, collect) -> None:
    with pytest.raises(ExportError, match="holds no Markdown file"):
        collect("files", path=folder({}))
    with pytest.raises(ExportError, match="there is no such file or folder"):
        collect("files", path=tmp_path / "missing")


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path, collect) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n")
    root = folder({"a.md": "# A\n"})
    (root / "b.md").symlink_to(tmp_path / "secret.md")
    assert [document.title for document in collect("files", path=root).documents] == ["A"]
