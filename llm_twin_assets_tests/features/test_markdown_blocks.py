"""Markdown as blocks with exact spans."""

from llm_twin_assets.features.markdown_blocks import markdown_blocks


def blocks(text):
    return [(block.kind, text[block.start : block.end]) for block in markdown_blocks(text)]


def test_headings_fences_and_paragraphs_are_blocks():
    text = "# One\ntwo\nthree\n\n```sh\n# four\n\nfive\n```\n## Six ##\n"
    assert blocks(text) == [
        ("heading", "# One\n"),
        ("text", "two\nthree\n"),
        ("fence", "```sh\n# four\n\nfive\n```\n"),
        ("heading", "## Six ##\n"),
    ]
    assert [(each.level, each.heading) for each in markdown_blocks(text) if each.kind == "heading"] == [
        (1, "One"),
        (2, "Six"),
    ]


def test_an_underlined_line_is_a_heading_and_an_underlined_paragraph_is_none():
    assert blocks("Title\n=====\n\na\nb\n---\n") == [("heading", "Title\n=====\n"), ("text", "a\nb\n---\n")]


def test_a_heading_ends_a_paragraph():
    assert blocks("words\n# Head\n") == [("text", "words\n"), ("heading", "# Head\n")]


def test_a_hash_without_a_blank_is_a_tag():
    assert blocks("#tag\n") == [("text", "#tag\n")]


def test_a_longer_or_other_mark_inside_of_a_fence_does_not_close_it():
    text = "````\n```\n~~~~\n````\nafter"
    assert blocks(text) == [("fence", "````\n```\n~~~~\n````\n"), ("text", "after")]


def test_a_fence_in_a_list_is_one_block():
    assert blocks("- see\n\n  ```py\n  a\n\n  b\n  ```\n")[1] == ("fence", "  ```py\n  a\n\n  b\n  ```\n")


def test_a_fence_in_a_quotation_is_one_block_and_ends_with_the_quotation():
    assert blocks("> ```\n> a\n>\n> b\n> ```\nafter") == [("fence", "> ```\n> a\n>\n> b\n> ```\n"), ("text", "after")]
    assert blocks("> ```\n> a\n\nafter") == [("fence", "> ```\n> a\n"), ("text", "after")]


def test_an_open_fence_runs_to_the_end():
    assert blocks("~~~\na\n\n# b") == [("fence", "~~~\na\n\n# b")]


def test_nothing_makes_no_block():
    assert blocks("") == blocks("\n \n\t\n") == []
