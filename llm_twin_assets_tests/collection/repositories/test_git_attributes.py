from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.repositories.git_attributes import Marks, marks, parse_attributes

ATTRIBUTES = """
lib/** linguist-vendored
lib/mine.py -linguist-vendored
out.py linguist-generated=true
docs/* linguist-documentation
vendor/fork/** linguist-vendored=false
"""


def test_the_repository_says_what_is_vendored_generated_or_documentation(folder, git, tmp_path) -> None:
    paths = ["lib/a.py", "lib/mine.py", "out.py", "docs/conf.py", "vendor/fork/ø b.py", "own.py"]
    root = folder({".gitattributes": ATTRIBUTES, **dict.fromkeys(paths, "x\n")}, "work")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    git(root, "clone", "-q", "--bare", str(root), str(tmp_path / "bare.git"))
    (root / ".gitattributes").write_text("* linguist-vendored\n")  # what is not committed does not count
    index = (root / ".git/index").read_bytes()
    expected = {
        "lib/a.py": Marks(vendored=True),
        "lib/mine.py": Marks(vendored=False),
        "out.py": Marks(generated=True),
        "docs/conf.py": Marks(documentation=True),
        "vendor/fork/ø b.py": Marks(vendored=False),
    }
    assert marks(root, "main", paths) == expected
    assert marks(tmp_path / "bare.git", "main", paths) == expected
    assert (root / ".git/index").read_bytes() == index


def test_what_is_stated_decides_and_silence_does_not() -> None:
    assert Marks(vendored=True, generated=False).foreign is True
    assert Marks(vendored=False).foreign is False
    assert Marks(documentation=True).foreign is None


_PATH = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(_PATH, st.sampled_from(["set", "unset", "unspecified", "false", "true", "x"]))))
def test_attributes_come_back_as_git_writes_them(stated: list[tuple[str, str]]) -> None:
    output = "".join(f"{path}\0linguist-vendored\0{value}\0" for path, value in stated).encode()
    meaning = {"set": True, "true": True, "x": True, "unset": False, "false": False, "unspecified": None}
    assert list(parse_attributes(output)) == [(path, "linguist-vendored", meaning[value]) for path, value in stated]
