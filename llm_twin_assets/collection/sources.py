"""The sources of `twin.yaml`: which connector each one goes to, and everything that is wrong with its options."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from llm_twin_assets.collection.connector import Connector, SourceOptions
from llm_twin_assets.collection.connectors import connector
from resources.errors import ConfigurationError
from resources.settings import Author, Settings, Source
from resources.yaml_source import Location, YamlSource


class OptionsError(ConfigurationError):
    """A source's options do not fit its connector; `located` says the line where `twin.yaml` is at hand."""

    def __init__(self, author: str, index: int, error: ValidationError, known: Sequence[str]) -> None:
        self._location: Location = ("authors", author, "sources", index)
        self._error = error
        self._known = known
        said = self.located(YamlSource(Path("twin.yaml"), None, {}))
        super().__init__(said.what, where="twin.yaml", mend=said.mend)

    def located(self, yaml: YamlSource) -> ConfigurationError:
        """The same error with file and line."""
        return yaml.configuration_error(self._error, self._known, self._location)


def options_of(author: str, index: int, source: Source, base: Path) -> tuple[Connector[SourceOptions], SourceOptions]:
    """A source's connector and its checked options; relative paths start at `base`, the folder of `twin.yaml`."""
    found = connector(source.platform)
    try:
        return found, found.options.model_validate(source.options, context={"base": base})
    except ValidationError as error:
        raise OptionsError(author, index, error, ["platform", *found.options.model_fields]) from None


def findings(settings: Settings, yaml: YamlSource, *, paths: bool = False) -> Iterator[ConfigurationError]:
    """Everything that is wrong with the sources in `twin.yaml`, with file and line; `paths` asks the disk, too."""
    for key, author in settings.authors.items():
        yield from author_findings(key, author, yaml, paths=paths)


def author_findings(key: str, author: Author, yaml: YamlSource, *, paths: bool = False) -> Iterator[ConfigurationError]:
    """Everything that is wrong with the sources of one author."""
    named: dict[tuple[str, str], int] = {}
    for index, source in enumerate(author.sources):
        location: Location = ("authors", key, "sources", index)
        try:
            _, options = options_of(key, index, source, yaml.path.parent)
        except OptionsError as error:
            yield error.located(yaml)
            continue
        except ConfigurationError as error:
            yield ConfigurationError(error.what, where=yaml.where((*location, "platform")), mend=error.mend)
            continue
        if (first := named.setdefault((source.platform, options.name()), index)) != index:
            yield ConfigurationError(
                f"is the same {source.platform} source as number {first + 1}: '{options.name()}'",
                where=yaml.where(location),
                mend="Put both into one, or remove one.",
            )
        if paths:
            yield from _missing_paths(options, yaml, location)


def check_sources(settings: Settings, yaml: YamlSource, *, paths: bool = False) -> None:
    """Raises the first of `findings`."""
    for finding in findings(settings, yaml, paths=paths):
        raise finding


def paths_of(options: SourceOptions) -> dict[str, Path]:
    """The files and folders of this machine that a source names, by option."""
    return {key: value for key, value in options if isinstance(value, Path)}


def shown(options: SourceOptions) -> str:
    """How a message names a source: its paths, else its name."""
    return ", ".join(str(value) for value in paths_of(options).values()) or options.name()


def _missing_paths(options: SourceOptions, yaml: YamlSource, location: Location) -> Iterator[ConfigurationError]:
    for key, path in paths_of(options).items():
        if not path.exists():
            yield ConfigurationError(
                f"{key}: there is no {path}",
                where=yaml.where((*location, key)),
                mend="Mend the path (a relative one starts at the folder of twin.yaml).",
            )
