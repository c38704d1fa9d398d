"""Every key of `twin.yaml` with its kind and default, as Markdown: written from the settings, so never out of date."""

import inspect
import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from resources.errors import ConfigurationError
from resources.settings import Settings

_KINDS: dict[object, str] = {str: "text", int: "integer", float: "number", bool: "yes or no", Path: "path"}


_HEAD = """# Configuration

Everything that `twin.yaml` may hold. `twin config` prints this page, `twin config training` one part of it. An unknown
key is an error that names its line. Paths are relative to the file; keys and tokens are never in it, only the names of
the variables that hold them. What a source takes beside `platform`: [sources.md](sources.md).
"""


def page() -> str:
    """The whole of docs/configuration.md."""
    return f"{_HEAD}\n{reference()}"


def reference(part: str = "") -> str:
    """A chapter a section, in the order of the file; of those whose path begins with `part`, if given.

    Raises `ConfigurationError` if there is none.
    """
    chapters = [
        "\n".join(_chapter(path, section))
        for path, section in _sections("", Settings)
        if not part or f"{path}.".startswith(f"{part}.")
    ]
    if not chapters:
        raise ConfigurationError(
            f"twin.yaml has no section '{part}'", mend=f"Sections: {', '.join(Settings.model_fields)}."
        )
    return "\n".join(chapters)


def _sections(path: str, section: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    if path:
        yield path, section
    for name, field in section.model_fields.items():
        if inner := _inner(field):
            mark = ".<key>" if get_origin(field.annotation) is dict else "[]" if _is_list(field) else ""
            yield from _sections(f"{path}.{name}{mark}".lstrip("."), inner)


def _chapter(path: str, section: type[BaseModel]) -> Iterator[str]:
    yield f"## `{path}`\n"
    yield f"{inspect.cleandoc(section.__doc__ or '')}\n"
    yield "| key | kind | default |"
    yield "|---|---|---|"
    for name, field in section.model_fields.items():
        if not _inner(field):
            yield f"| `{name}` | {_kind(field)} | {_default(field)} |"
    yield ""


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a key holds, or holds several of."""
    for candidate in (field.annotation, *_within(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _within(annotation: object) -> Iterator[object]:
    for part in get_args(annotation):
        yield part
        yield from _within(part)


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def _kind(field: FieldInfo) -> str:
    bounds = [f"{sign} {getattr(limit, name):g}" for limit in field.metadata for name, sign in _BOUNDS.items()
              if getattr(limit, name, None) is not None]  # fmt: skip
    return ", ".join((_named(field.annotation), *bounds))


_BOUNDS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def _named(annotation: object) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _named(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_named(each) for each in arguments if each is not type(None))
    if origin is tuple:
        return f"list of {_named(arguments[0])}"
    if origin is dict:
        return f"{_named(arguments[1])} by name"
    return _KINDS.get(annotation, "any value")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "–"
    return f"`{json.dumps(value, ensure_ascii=False)}`"
