import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import ConfigurationError, TwinError
from resources.settings import Environment, Settings

GOOD = """\
authors:
  maya:
    name: Maya
    sources:
      - platform: files
        path: notes
training:
  base: tiny-llama
"""


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "twin.yaml"
    file.write_text(text, encoding="utf-8")
    return Settings.load(file)


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    assert settings.author("maya").sources[0].options == {"path": "notes"}
    assert settings.training.method == "lora"
    assert settings.dataset.test_share == 0.2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "  bsae: x\n", r"twin\.yaml:9: training\.bsae: unknown key\. Did you mean 'base'\?"),
        (GOOD + "traning: {}\n", r"twin\.yaml:9: traning: unknown key\. Did you mean 'training'\?"),
        (GOOD + "  xyzzy: 1\n", r"twin\.yaml:9: training\.xyzzy: unknown key\. Remove it, or see"),
        (GOOD + "  method: magic\n", r"twin\.yaml:9: training\.method: input should be 'full', 'lora', 'qlora'"),
        (GOOD + "  epochs: -1\n", r"twin\.yaml:9: training\.epochs: input should be greater than 0"),
        (GOOD.replace("maya", "Maya L"), r"twin\.yaml:2: authors\.Maya L\.\[key\]: string should match pattern"),
        (GOOD.replace("    name: Maya\n", ""), r"twin\.yaml:2: authors\.maya\.name: field required"),
        ("authors: {}\n", r"twin\.yaml:1: authors: dictionary should have at least 1 item"),
        ("", r"twin\.yaml:1: "),
        ("authors: [\n", r"twin\.yaml:2: is not YAML"),
        ("- a\n", r"twin\.yaml:1: "),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load(tmp_path, text)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"twin\.yaml: there is no such file\. Write one \(see README\.md\)"):
        Settings.load(tmp_path / "twin.yaml")


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_bytes(GOOD.replace("Maya", "Mäya").encode("latin-1"))
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        Settings.load(tmp_path / "twin.yaml")


@given(st.text(max_size=200))
def test_every_mistake_is_one_line(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert "\n" not in _said_of(Path(folder), text)


def _said_of(folder: Path, text: str) -> str:
    try:
        load(folder, text)
    except TwinError as error:
        return str(error)
    return ""


def test_an_unknown_author_is_told_who_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no author 'noor' in twin\.yaml\. Known authors: maya\."):
        load(tmp_path, GOOD).author("noor")


def test_a_bucket_stays_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_HOME", "s3://bucket/twin")
    environment = Environment.current()
    assert environment.under("warehouse") == "s3://bucket/twin/warehouse"
    with pytest.raises(ConfigurationError, match="needs a local folder"):
        environment.local("dagster")
