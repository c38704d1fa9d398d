"""Mistakes in the sections `teacher` and `preference` are named like all others, and never show a key."""

from pathlib import Path

import pytest

from resources.errors import ConfigurationError
from resources.settings import Settings

GOOD = """\
authors:
  maya: {name: Maya, sources: [{platform: files, path: notes}]}
teacher:
  url: http://127.0.0.1:8080/v1/
  model: wise
"""


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "twin.yaml"
    file.write_text(text, encoding="utf-8")
    return Settings.load(file)


def test_a_teacher_needs_an_address_and_a_model(tmp_path: Path) -> None:
    teacher = load(tmp_path, GOOD).teacher
    assert teacher is not None
    assert (teacher.url, teacher.min_score, teacher.tasks) == (
        "http://127.0.0.1:8080/v1",
        4,
        ("back_translation", "questions", "curation"),
    )
    assert load(tmp_path, "\n".join(GOOD.splitlines()[:2])).teacher is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "  modle: x\n", r"twin\.yaml:6: teacher\.modle: unknown key\. Did you mean 'model'\?"),
        (GOOD + "  tasks: [answers]\n", r"twin\.yaml:6: teacher\.tasks\.0: input should be 'back_translation'"),
        (GOOD + "  key_variable: sk-secret\n", r"twin\.yaml:6: teacher\.key_variable: string should match"),
        (GOOD + "  budget: {cost: 5}\n", r"twin\.yaml:3: teacher: value error, budget\.cost needs price"),
        (
            GOOD + "  parameters: {stream: true}\n",
            r"twin\.yaml:6: teacher\.parameters: value error, cannot hold stream",
        ),
        (GOOD.replace("http://", "http://me:secret@"), r"twin\.yaml:4: teacher\.url: value error, holds more than an"),
        (GOOD.replace("http", "gopher"), r"twin\.yaml:4: teacher\.url: value error, is no address"),
        (GOOD + "preference: {rejected_by: endpoint}\n", r"twin\.yaml:6: preference: .*needs endpoint"),
        (
            GOOD + "preference: {length_ratio: 0.5}\n",
            r"twin\.yaml:6: preference\.length_ratio: .*greater than or equal",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_without_its_secret(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        load(tmp_path, text)
    assert "secret" not in str(raised.value)


def test_a_rejected_teacher_has_to_be_there(tmp_path: Path) -> None:
    alone = "\n".join(GOOD.splitlines()[:2])
    with pytest.raises(ConfigurationError, match=r"preference\.rejected_by: teacher needs teacher"):
        load(tmp_path, f"{alone}\npreference: {{rejected_by: teacher}}\n")
