from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.domain.sections import sections

LINES = st.sampled_from(
    ["# A", "## B", "### C ##", "text", "", "```", "```py", "~~~", "#no", "####### no", "    # code?"]
)


@given(st.lists(LINES).map("\n".join) | st.text())
def test_sections_cover_the_text_exactly(text: str) -> None:
    found = sections(text)
    assert "".join(text[section.start : section.end] for section in found) == text
    assert all(section.start <= section.body <= section.end for section in found)


def test_a_heading_knows_the_headings_above_it() -> None:
    paths = [section.path for section in sections("intro\n# A\n## B\ntext\n### C\n## D\n# E\n")]
    assert paths == [(), ("A",), ("A", "B"), ("A", "B", "C"), ("A", "D"), ("E",)]


def test_a_hash_in_a_fence_is_code() -> None:
    text = "# A\n```sh\n# not a heading\n```\nafter\n"
    assert [section.path for section in sections(text)] == [("A",)]


def test_a_closing_run_of_hashes_is_no_part_of_the_title() -> None:
    assert [section.path for section in sections("## C# and F# ##\n## #\n")] == [("C# and F#",), ("",)]


def test_a_shorter_fence_does_not_close_a_longer_one() -> None:
    text = "````\n```\n# still code\n````\n# real\n"
    assert [section.path for section in sections(text)] == [(), ("real",)]
