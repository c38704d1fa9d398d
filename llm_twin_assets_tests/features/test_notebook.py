"""A notebook that comes as JSON becomes Markdown with fenced code; what claims to be one and is none is quarantined."""

import json

import pytest

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.clean import clean
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.incremental import clean_changed

CELLS = [
    {"cell_type": "markdown", "source": ["# Looms\n", "It's *so*."]},
    {
        "cell_type": "code",
        "source": "print('''\n```\nx\n```\n''')",
        "outputs": [{"output_type": "stream", "text": "secret output"}],
    },
]
KERNEL = {"kernelspec": {"name": "python3", "language": "python"}}


def notebook(cells=CELLS, **more):
    return json.dumps({"nbformat": 4, "metadata": KERNEL, "cells": cells, **more})


@pytest.fixture
def raw_notebook(make_raw):
    def make(content, category=Category.CODE):
        return make_raw(
            content, category=category, platform="github", media_type="application/x-ipynb+json",
            repository="ada/engine", path="notes/looms.ipynb", code_language="jupyter",
        )  # fmt: skip

    return make


def test_a_notebook_is_markdown_with_its_cells_as_fenced_code_and_no_output(raw_notebook):
    cleaned = clean(raw_notebook(notebook()))
    assert cleaned.text == "# Looms\nIt's *so*.\n\n````python\nprint('''\n```\nx\n```\n''')\n````"
    assert (cleaned.path, cleaned.repository, cleaned.code_language) == ("notes/looms.ipynb", "ada/engine", "markdown")


def test_a_notebook_that_was_converted_when_it_was_collected_is_left_alone(make_raw):
    text = "{x}\n\n```python\nx = 1\n```\n"
    raw = make_raw(text, category=Category.CODE, media_type="text/markdown", path="a.ipynb", code_language="markdown")
    assert clean(raw).text == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{not json", "the notebook is not JSON"),
        ("[1, 2]", "holds no object"),
        ('{"metadata": {}}', "it has no cells"),
        ("[" * 100_000, "the notebook is not JSON"),
        (notebook([]), "nothing is left"),
        (notebook([{"cell_type": "code", "source": "x = '\ud800'"}]), "holds what is not Unicode"),
    ],
)
def test_a_broken_notebook_is_quarantined_with_its_reason(raw_notebook, content, reason):
    raw = raw_notebook(content)
    with pytest.raises(CleaningError, match=reason):
        clean(raw)
    [quarantined] = clean_changed([raw], []).quarantined
    assert reason in quarantined.reason


@pytest.mark.parametrize(
    "cells", [[7, None, {"cell_type": "code"}, {"cell_type": 3, "source": {}}], [{"source": [1, None]}]]
)
def test_cells_of_the_wrong_shape_are_passed_over(raw_notebook, cells):
    assert "Looms" in clean(raw_notebook(notebook([*cells, *CELLS]))).text
