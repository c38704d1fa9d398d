import contextlib
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.reading.notebooks import NotebookError, read_notebook

KERNEL = {"kernelspec": {"name": "python3", "language": "python"}, "language_info": {"name": "python"}}


def notebook(*cells, metadata=KERNEL) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)})


def code(source, **more):
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


def prose(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def test_prose_stays_and_code_is_fenced_without_its_outputs() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["a secret table\n"]}
    read = read_notebook(
        notebook(
            prose(["# A loom\n", "\n", "Words.  \n", "more"]),
            code(["def f():\n", "\treturn  1   \n", "\n", "f()"], outputs=[output], execution_count=3),
            code("   \n"),
            prose("The end."),
        )
    )
    assert (
        read.markdown == "# A loom\n\nWords.  \nmore\n\n```python\ndef f():\n\treturn  1   \n\nf()\n```\n\nThe end.\n"
    )
    assert read.language == "python"


def test_version_three_has_worksheets_headings_and_inputs() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Weaving"]},
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "x"], "outputs": [{"text": "1"}]},
        {"cell_type": "markdown", "source": ["Done."]},
    ]
    old = json.dumps({"nbformat": 3, "metadata": {"name": "x"}, "worksheets": [{"cells": cells}]})
    assert read_notebook(old).markdown == "## Weaving\n\n```python\nx = 1\nx\n```\n\nDone.\n"


def test_a_fence_is_longer_than_any_in_its_code() -> None:
    read = read_notebook(notebook(code('doc = """\n````\n"""')))
    assert read.markdown == '`````python\ndoc = """\n````\n"""\n`````\n'


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"name": "ir", "language": "R"}}, "r"),
        ({"kernelspec": {"name": "julia-1.9"}}, "julia"),
        ({"kernelspec": {"name": "python3"}}, "python"),
        ({"language_info": {"name": "c++"}}, "c++"),
        ({"language_info": {"name": "a`b\nc"}}, None),
        ({}, None),
    ],
)
def test_the_kernel_says_the_language(metadata, language) -> None:
    read = read_notebook(notebook(code("x"), metadata=metadata))
    assert read.language == language
    assert read.markdown.startswith(f"```{language or ''}\n")


def test_a_cell_in_another_language_says_so_by_its_magic() -> None:
    assert read_notebook(notebook(code("%%bash\nls"))).markdown == "```bash\n%%bash\nls\n```\n"


def test_raw_cells_are_left_out_but_for_front_matter() -> None:
    raw = {"cell_type": "raw", "source": "---\ntitle: Looms\n---"}
    assert read_notebook(notebook(raw, prose("Text"), raw)).markdown == "---\ntitle: Looms\n---\n\nText\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"cells": 3}', "[" * 100_000])
def test_what_is_no_notebook_is_an_error(text) -> None:
    with pytest.raises(NotebookError):
        read_notebook(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.sampled_from(["cell_type", "source", "input", "level"]), each),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["cells", "worksheets", "metadata", "nbformat"]), _JSON))
def test_any_json_is_a_notebook_or_an_error(content: dict[str, object]) -> None:
    with contextlib.suppress(NotebookError):
        read_notebook(json.dumps(content))


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_every_line_of_code_comes_out_as_it_is(cells: list[str]) -> None:
    markdown = read_notebook(notebook(*map(code, cells))).markdown
    for cell in cells:
        if cell.strip():
            assert cell.removesuffix("\n") in markdown


@given(st.text(st.characters(codec="utf-8")), st.lists(st.integers(0, 40)))
def test_lists_of_lines_say_the_same_as_one_string(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [text[start:end] for start, end in itertools.pairwise(places)]
    assert read_notebook(notebook(prose(parts))) == read_notebook(notebook(prose(text)))
