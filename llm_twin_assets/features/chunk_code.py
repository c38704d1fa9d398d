"""Code by definitions: Python by its syntax tree, any other language by blocks between blank lines."""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_twin_assets.features.chunk_size import Sizer, Span

_LINE_END = re.compile(r"\r\n|\r|\n")
# A block of a brace language begins at a line without indentation after a blank line.
_TOP_LEVEL = re.compile(r"\n[^\S\n]*\n(?=[^\s})\]])")
_SMALL_SHARE = 3

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch of code, where it is in the file's tree, and its signature if it is a definition."""

    span: Span
    path: tuple[str, ...] = ()
    signature: str = ""


def code_spans(sizer: Sizer, place: str, language: str | None) -> Iterator[tuple[Span, str]]:
    """Spans of the chunks with their context: path › class › signature."""
    units = _python_units(sizer) if language == "python" else None
    if units is None:
        units = [_Unit(span) for span in _blocks(sizer.text)]
    for group in _joined(units, sizer):
        whole = (group[0].span[0], group[-1].span[1])
        context = sizer.context((place, *group[0].path))
        if sizer.fits(whole, context):
            yield whole, context
            continue
        # The signature stands in the text of a whole definition; the parts of a long one need it as context.
        context = sizer.context((place, *group[0].path, group[0].signature))
        for span in sizer.pack([unit.span for unit in group], context):
            yield span, context


def _joined(units: Sequence[_Unit], sizer: Sizer) -> Iterator[list[_Unit]]:
    """Neighbours of the same place together, where both are small."""
    small = sizer.max_tokens // _SMALL_SHARE
    group: list[_Unit] = []
    size = 0
    for unit in units:
        cost = sizer.cost(unit.span)
        if group and (unit.path != group[0].path or max(cost, size) > small):
            yield group
            group, size = [], 0
        group.append(unit)
        size += cost
    if group:
        yield group


def _blocks(text: str) -> list[Span]:
    ends = [match.end() for match in _TOP_LEVEL.finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True)) if text else []


def _python_units(sizer: Sizer) -> list[_Unit] | None:
    """Definitions and what stands between them; None where the file is not valid Python of this version."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the author's code are not ours to report
            tree = ast.parse(sizer.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = _line_starts(sizer.text)
    return list(_units(tree.body, lines, (0, len(sizer.text)), (), sizer))


def _units(
    body: Sequence[ast.stmt], lines: Sequence[int], within: Span, path: tuple[str, ...], sizer: Sizer
) -> Iterator[_Unit]:
    position, end = within
    for node in body:
        if not isinstance(node, _Definition):
            continue
        start = max(position, lines[min((node.lineno, *(each.lineno for each in node.decorator_list))) - 1])
        stop = min(end, lines[node.end_lineno or node.lineno])
        if stop <= start:  # two definitions on one line
            continue
        if start > position:
            yield _Unit((position, start), path)
        yield from _definition(node, lines, (start, stop), path, sizer)
        position = stop
    if position < end:
        yield _Unit((position, end), path)


def _definition(
    node: _Definition, lines: Sequence[int], span: Span, path: tuple[str, ...], sizer: Sizer
) -> Iterator[_Unit]:
    signature = _signature(node)
    if isinstance(node, ast.ClassDef) and sizer.cost(span) > sizer.max_tokens * 2 // 3:
        yield from _units(node.body, lines, span, (*path, signature), sizer)
    else:
        yield _Unit(span, path, signature)


def _signature(node: _Definition) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}"


def _line_starts(text: str) -> list[int]:
    """Offset of each line as Python's own tokenizer sees them, and of the end."""
    return [0, *(match.end() for match in _LINE_END.finditer(text)), len(text)]
