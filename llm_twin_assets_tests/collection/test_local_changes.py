import os

import pytest

from llm_twin_assets.collection.local_changes import fingerprint_of


@pytest.fixture
def notes(folder):
    return folder({"a.md": "# A", "deep/b.md": "# B"}, "notes")


def test_the_same_files_have_the_same_fingerprint(notes) -> None:
    assert fingerprint_of(notes) == fingerprint_of(notes)
    assert fingerprint_of(notes / "a.md") == fingerprint_of(notes / "a.md")


def test_a_new_changed_renamed_or_removed_file_shows(notes) -> None:
    seen = {fingerprint_of(notes)}
    for change in (
        lambda: (notes / "c.md").write_text("# C"),
        lambda: (notes / "deep/b.md").write_text("# B, longer"),
        lambda: os.utime(notes / "a.md", (1, 1)),
        lambda: (notes / "a.md").rename(notes / "z.md"),
        lambda: (notes / "z.md").unlink(),
    ):
        change()
        seen.add(fingerprint_of(notes))
    assert len(seen) == 6


def test_hidden_files_and_links_do_not_count(notes, tmp_path) -> None:
    before = fingerprint_of(notes)
    (notes / ".obsidian").mkdir()
    (notes / ".obsidian" / "x").write_text("x")
    (notes / "link.md").symlink_to(tmp_path / "elsewhere.md")
    assert fingerprint_of(notes) == before


def test_what_is_not_there_is_missing_and_its_coming_shows(tmp_path) -> None:
    assert fingerprint_of(tmp_path / "export.zip") == "missing"
    (tmp_path / "export.zip").write_bytes(b"PK")
    assert fingerprint_of(tmp_path / "export.zip") != "missing"


def test_a_commit_shows_in_a_clone_and_an_edit_does_not(folder, git) -> None:
    clone = folder({"a.py": "print(1)\n"}, "clone")
    git(clone, "init", "--quiet")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "first")
    before = fingerprint_of(clone)
    (clone / "a.py").write_text("print(2)\n")
    assert fingerprint_of(clone) == before
    git(clone, "commit", "--quiet", "-am", "second")
    assert fingerprint_of(clone) != before
