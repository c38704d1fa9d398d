from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.repositories.authorship import (
    Identity,
    blamed,
    changes,
    read_history,
    shares,
    strangers,
)
from llm_twin_assets.collection.visit import Person

MAYA = Person("maya", "Maya Lindqvist", ("maya@example.com",))
MY = Identity.of(MAYA, "MayaWeaves")


@pytest.fixture
def commit(git):
    def run(root, name, email, *, date="2024-05-01T10:00:00+00:00", message="x") -> None:
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", message, "--allow-empty", "--author", f"{name} <{email}>", date=date)

    return run


@pytest.fixture
def repository(folder, git):
    root = folder({}, "work")
    git(root, "init", "-q")
    return root


def written(root, *paths, identity=MY) -> dict[str, float]:
    return shares(root, "main", paths, read_history(root, "main", identity))


@pytest.mark.parametrize(
    ("name", "email", "own"),
    [
        ("x", "Maya@Example.COM", True),
        ("maya  LINDQVIST", "other@example.com", True),
        ("mayaweaves", "root@localhost", True),
        ("x", "123456+MayaWeaves@users.noreply.github.com", True),
        ("x", "mayaweaves@users.noreply.github.com", True),
        ("x", "98-mayaweaves@users.noreply.gitlab.com", True),
        ("x", "123456+mayaweaves2@users.noreply.github.com", False),
        ("x", "98-mayaweaves@users.noreply.github.com", False),
        ("x", "mayaweaves@example.com", False),
        ("Maya", "maya@example.org", False),
        ("", "", False),
    ],
)
def test_commits_are_recognised_by_address_name_and_no_reply_address(name, email, own) -> None:
    assert MY.wrote(name, email) is own


def test_lines_are_counted_and_white_space_is_nobodys(repository, commit) -> None:
    (repository / "a.py").write_text("if x:\n    y()\nz()\n")
    (repository / "b.py").write_text("b = 1\n")
    commit(repository, "Maya Lindqvist", "maya@example.com")
    (repository / "a.py").write_text("if x:\n        y()\nz()\nother()\n")
    (repository / "c.py").write_text("c = 1\n")
    commit(repository, "Someone", "someone@example.com")
    assert written(repository, "a.py", "b.py", "c.py") == {"a.py": 0.75, "b.py": 1.0, "c.py": 0.0}


def test_a_renamed_file_stays_its_authors(repository, git, commit) -> None:
    (repository / "a.py").write_text("a = 1\nb = 2\nc = 3\n")
    commit(repository, "Someone", "someone@example.com")
    git(repository, "mv", "a.py", "b.py")
    commit(repository, "Maya Lindqvist", "maya@example.com")
    assert written(repository, "b.py") == {"b.py": 0.0}


def test_a_merge_by_someone_else_takes_nothing_away(repository, git, commit) -> None:
    (repository / "a.py").write_text("a\n\n\n\nz\n")
    commit(repository, "Maya Lindqvist", "maya@example.com")
    git(repository, "switch", "-q", "-c", "side")
    (repository / "a.py").write_text("a1\n\n\n\nz\n")
    commit(repository, "Maya Lindqvist", "maya@example.com")
    git(repository, "switch", "-q", "main")
    (repository / "a.py").write_text("a\n\n\n\nz1\n")
    commit(repository, "Maya Lindqvist", "maya@example.com")
    git(repository, "-c", "user.name=Bot", "-c", "user.email=bot@example.com", "merge", "-q", "--no-edit", "side")
    assert read_history(repository, "main", MY).others
    assert written(repository, "a.py") == {"a.py": 1.0}


def test_the_mailmap_says_whose_an_old_address_is_without_taking_one_away(repository, commit) -> None:
    (repository / ".mailmap").write_text(
        "Maya Lindqvist <maya@example.com> <old@example.com>\nM. L. <m@new.example> <maya@example.com>\n"
    )
    (repository / "a.py").write_text("a = 1\n")
    commit(repository, "weaver", "old@example.com")
    (repository / "b.py").write_text("b = 1\n")
    commit(repository, "x", "maya@example.com")
    assert written(repository, "a.py", "b.py") == {"a.py": 1.0, "b.py": 1.0}


def test_a_file_is_as_old_as_its_first_commit(repository, commit) -> None:
    (repository / "ø b.py").write_text("a\n")
    commit(repository, "x", "maya@example.com", date="2024-01-01T10:00:00+02:00")
    (repository / "ø b.py").write_text("b\n")
    commit(repository, "x", "maya@example.com", date="2025-01-01T10:00:00+02:00")
    assert read_history(repository, "main", MY).first == {"ø b.py": datetime(2024, 1, 1, 8, tzinfo=UTC)}


def test_a_file_whose_name_looks_like_a_commit_is_a_file(repository, commit) -> None:
    name = "\x01" + "a" * 40
    (repository / name).write_text("x\n")
    (repository / ":(top)x.py").write_text("x\n")
    commit(repository, "Someone", "someone@example.com")
    (repository / ":(top)x.py").write_text("x\ny\n")
    commit(repository, "x", "maya@example.com")
    history = read_history(repository, "main", MY)
    assert set(history.first) == {name, ":(top)x.py"}
    assert (len(history.own), sum(history.others.values())) == (1, 1)
    assert written(repository, ":(top)x.py") == {":(top)x.py": 0.5}


def test_strangers_are_named_with_what_to_do(repository, commit) -> None:
    for number in range(7):
        commit(repository, f"Someone {number}", "old@example.com")
    said = strangers(read_history(repository, "main", MY), MAYA)
    assert "no commit by Maya Lindqvist" in said
    assert "Someone 6 <old@example.com>" in said
    assert "and 2 more" in said
    assert "authors.maya.emails" in said


_SHA = st.text("0123456789abcdef", min_size=40, max_size=40)
_LINES = st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), min_size=1, max_size=4)


@given(st.lists(st.tuples(_SHA, _LINES)))
def test_blamed_lines_are_counted_whatever_they_hold(groups: list[tuple[str, list[bytes]]]) -> None:
    output = b""
    expected: dict[str, int] = {}
    for sha, lines in groups:
        for number, line in enumerate(lines):
            count = b" %d" % len(lines) if number == 0 else b""
            output += sha.encode() + b" %d %d" % (number + 1, number + 1) + count + b"\n"
            output += b"author A\nsummary " + sha.encode() + b" 1 1 1\n" if number == 0 else b""
            output += b"\t" + line + b"\n"
        expected[sha] = expected.get(sha, 0) + len(lines)
    assert dict(blamed(output)) == expected


@given(st.binary())
def test_any_output_is_parsed_without_an_error(output: bytes) -> None:
    blamed(output)
    list(changes(output))
    list(changes(b"\x01" + output))


_NAME = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), min_size=1, max_size=8)
_CHANGE = st.tuples(_SHA, _NAME, _NAME, st.lists(st.tuples(st.sampled_from(["A", "M", "D", "MM", "T"]), _NAME)))


@given(st.lists(_CHANGE))
def test_a_log_comes_back_as_it_was_written(commits: list[tuple[str, str, str, list[tuple[str, str]]]]) -> None:
    output = ""
    for sha, name, email, files in commits:
        output += "\0".join([f"\x01{sha}", "2024-01-01T00:00:00+00:00", name, email, name, email]) + "\0"
        output += ("\n" if files else "") + "".join(f"{status}\0{path}\0" for status, path in files)
    read = [(c.commit, *c.signatures[0], list(c.files)) for c in changes(output.encode())]
    assert read == commits
