"""The page on twin.yaml says what the settings say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from resources.errors import ConfigurationError
from resources.settings import Settings
from resources.settings_reference import page, reference

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def keys(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield name
        if isinstance(default := field.get_default(call_default_factory=True), BaseModel):
            yield from keys(type(default))


def test_the_page_is_what_twin_config_prints() -> None:
    assert PAGE.read_text() == page(), "write it again: twin config > docs/configuration.md"


def test_every_key_is_named() -> None:
    words = set(re.findall(r"\w+", "".join(re.findall("`[^`]*`", page()))))
    assert set(keys(Settings)) <= words


def test_every_section_says_what_it_is_for() -> None:
    assert all(chapter.split("\n")[2].strip() for chapter in reference().split("## `")[1:])


def test_one_part_holds_its_own_sections_alone() -> None:
    headings = [line for line in reference("training").split("\n") if line.startswith("## ")]
    assert headings[0] == "## `training`"
    assert len(headings) > 1
    assert all(line.startswith("## `training") for line in headings)


def test_a_part_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'trainig'.*training"):
        reference("trainig")


def test_bounds_defaults_and_choices_are_shown() -> None:
    assert "| `max_tokens` | integer, ≥ 32, ≤ 8192 | `220` |" in reference("chunking")
    assert '| `backend` | `cascade` or `newspaper` | `"cascade"` |' in reference("extract")
    assert "| `name` | text | must be given |" in reference("authors.<key>")
