"""Jupyter notebooks to Markdown: prose as it is, code fenced in the language of its kernel, outputs left out.

https://nbformat.readthedocs.io/en/latest/format_description.html, versions 3 and 4.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)
# `%%bash` and the like say that a cell is in another language than the notebook.
_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_MAGIC_LANGUAGES = {
    "bash": "bash", "cython": "cython", "html": "html", "javascript": "javascript", "js": "javascript",
    "latex": "latex", "perl": "perl", "r": "r", "ruby": "ruby", "sh": "bash", "sql": "sql",
}  # fmt: skip
_KERNEL_NAMES = (("python", "python"), ("julia", "julia"), ("ir", "r"), ("javascript", "javascript"), ("bash", "bash"))
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
_HEADINGS = 6


class NotebookError(ValueError):
    """What claims to be a notebook and is none."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as Markdown; `title` is what its metadata call it, `language` its kernel's (None if it says none)."""

    markdown: str
    language: str | None
    title: str | None


def read_notebook(text: str) -> Notebook:
    """Convert the JSON of an `.ipynb`; raises `NotebookError`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise NotebookError("is not a notebook: it holds no object")
    metadata = _mapping(content.get("metadata"))
    language = _language(metadata)
    cells = _cells(content)
    parts = [part for index, cell in enumerate(cells) if (part := _part(cell, index, language)).strip()]
    title = metadata.get("title")
    return Notebook(
        "\n\n".join(part.strip("\n") for part in parts) + "\n" if parts else "",
        language,
        title.strip() or None if isinstance(title, str) else None,
    )


def _cells(content: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    cells = content.get("cells")
    if isinstance(cells, list):
        return [_mapping(cell) for cell in cells]
    worksheets = content.get("worksheets")  # version 3
    if not isinstance(worksheets, list):
        raise NotebookError("is not a notebook of version 3 or later: it has no cells")
    return list(_worksheet_cells(worksheets))


def _worksheet_cells(worksheets: Sequence[object]) -> Iterator[Mapping[str, object]]:
    for worksheet in worksheets:
        cells = _mapping(worksheet).get("cells")
        yield from (_mapping(cell) for cell in (cells if isinstance(cells, list) else ()))


def _part(cell: Mapping[str, object], index: int, language: str | None) -> str:
    kind = cell.get("cell_type")
    source = _text(cell.get("source"))
    if kind == "markdown":
        return source
    if kind == "code":
        return _fenced(source if "source" in cell else _text(cell.get("input")), cell, language)
    if kind == "heading":  # version 3
        level = cell.get("level")
        depth = min(max(level, 1), _HEADINGS) if isinstance(level, int) else 1
        return f"{'#' * depth} {' '.join(source.split())}" if source.strip() else ""
    # A raw cell is for a converter and no reader, but for the front matter that Quarto keeps in the first one.
    return source if kind == "raw" and index == 0 and source.startswith("---") else ""


def _fenced(code: str, cell: Mapping[str, object], language: str | None) -> str:
    if not code.strip():
        return ""
    magic = _CELL_MAGIC.match(code)
    stated = cell.get("language")  # version 3
    named = _MAGIC_LANGUAGES.get(magic.group(1).lower()) if magic else None
    tag = named or language or (stated if isinstance(stated, str) and _LANGUAGE.fullmatch(stated) else "")
    longest = max((len(mark) for mark in _FENCE.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{tag}\n{code.removesuffix(chr(10))}\n{fence}"


def _language(metadata: Mapping[str, object]) -> str | None:
    kernel = _mapping(metadata.get("kernelspec"))
    for stated in (_mapping(metadata.get("language_info")).get("name"), kernel.get("language")):
        if isinstance(stated, str) and _LANGUAGE.fullmatch(stated):
            return stated.lower()
    name = kernel.get("name")
    if not isinstance(name, str):
        return None
    return next((language for prefix, language in _KERNEL_NAMES if name.lower().startswith(prefix)), None)


def _text(source: object) -> str:
    """Multi-line strings may be lists of lines."""
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
