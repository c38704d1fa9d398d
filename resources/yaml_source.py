"""A YAML file that remembers on which line each key stands, so that errors can say so."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from resources.errors import ConfigurationError

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class YamlSource:
    """The value of a YAML file with the line of every key."""

    path: Path
    value: object
    lines: dict[Location, int]

    @classmethod
    def read(cls, path: Path) -> "YamlSource":
        """Parse a file; raises `ConfigurationError` if it is missing or not YAML."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigurationError(
                "there is no such file", where=str(path), mend="Write one (see README.md) or set TWIN_CONFIG."
            ) from None
        except UnicodeDecodeError as error:
            raise ConfigurationError("is not UTF-8", where=str(path), mend=f"Save it as UTF-8 ({error}).") from None
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date, such as 2026-13-40
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or " ".join(str(error).split())
            where = f"{path}:{mark.line + 1}" if mark else str(path)
            raise ConfigurationError(f"is not YAML: {said}", where=where) from None
        lines: dict[Location, int] = {}
        if node is not None:
            _collect_lines(node, (), lines)
        return cls(path, value, lines)

    def where(self, location: Location) -> str:
        """`file:line` of a key, or of the nearest parent that is written down."""
        while location and location not in self.lines:
            location = location[:-1]
        return f"{self.path}:{self.lines.get(location, 1)}"

    def configuration_error(
        self, error: ValidationError, known: Iterable[str], prefix: Location = ()
    ) -> ConfigurationError:
        """The first finding, with file, line and key; `known` are the keys that a typo may have meant."""
        # A misspelt required key is two findings, missing and unknown: the unknown one says which word to mend.
        first = min(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
        location: Location = (*prefix, *first["loc"])
        key = ".".join(str(part) for part in location)
        return ConfigurationError(f"{key}: {_said(first)}", where=self.where(location), mend=_mend(first, known))


def _said(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key"
    return error["msg"][0].lower() + error["msg"][1:]


def _mend(error: ErrorDetails, known: Iterable[str]) -> str | None:
    if error["type"] != "extra_forbidden":
        return None
    near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
    return f"Did you mean '{near[0]}'?" if near else "Remove it, or see the configuration reference in README.md."


def _collect_lines(node: yaml.Node, location: Location, lines: dict[Location, int]) -> None:
    lines.setdefault(location, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, key.value)
            lines[inner] = key.start_mark.line + 1
            _collect_lines(value, inner, lines)
    if isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*location, index), lines)
