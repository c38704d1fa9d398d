from pathlib import Path

import pytest

from llm_twin_assets.collection.connector import Connector
from llm_twin_assets.collection.connectors import all_connectors, connector
from llm_twin_assets.collection.sources import check_sources, findings
from resources.errors import ConfigurationError
from resources.settings import Settings
from resources.yaml_source import YamlSource


def written(tmp_path: Path, sources: str) -> tuple[Settings, YamlSource]:
    path = tmp_path / "twin.yaml"
    path.write_text(f"authors:\n  maya:\n    name: Maya\n    sources:\n{sources}")
    return Settings.load(path), YamlSource.read(path)


def test_every_module_with_a_connector_is_a_platform() -> None:
    assert set(all_connectors()) >= {"files", "github", "linkedin", "medium", "substack", "web"}
    assert all(isinstance(found, Connector) for found in all_connectors().values())


def test_an_unknown_platform_lists_the_known_ones_and_the_near_one() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'linkdin'.*Did you mean 'linkedin'.*files, github, gitlab, linkedin"
    ):
        connector("linkdin")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("- {platform: linkdin, export: x}", r"twin\.yaml:5: unknown platform 'linkdin'.*Did you mean 'linkedin'"),
        ("- platform: medium\n        exprot: x", r"twin\.yaml:6: .*exprot: unknown key.*Did you mean 'export'"),
        ("- platform: medium", r"twin\.yaml:5: .*needs `handle`"),
        ("- {platform: substack, export: x, url: maya.substack.com}", r"twin\.yaml:5: .*url: should begin with https"),
        ("- platform: github", r"twin\.yaml:5: .*give .*'clone'"),
    ],
)
def test_a_wrong_source_is_named_with_file_and_line(tmp_path, source, said) -> None:
    settings, yaml = written(tmp_path, f"      {source}\n")
    found = list(findings(settings, yaml))
    assert len(found) == 1
    with pytest.raises(ConfigurationError, match=said):
        check_sources(settings, yaml)


def test_paths_are_relative_to_twin_yaml_and_can_be_checked(tmp_path) -> None:
    settings, yaml = written(tmp_path, "      - {platform: files, path: notes}\n")
    with pytest.raises(ConfigurationError, match=rf"twin\.yaml:5: path: there is no {tmp_path}/notes"):
        check_sources(settings, yaml, paths=True)
    (tmp_path / "notes").mkdir()
    check_sources(settings, yaml, paths=True)


def test_the_same_source_twice_is_told(tmp_path) -> None:
    settings, yaml = written(tmp_path, "      - {platform: files, path: notes}\n" * 2)
    with pytest.raises(ConfigurationError, match=r"twin\.yaml:6: is the same files source as number 1: 'notes'"):
        check_sources(settings, yaml)
