"""Code by definitions, from its syntax tree; what has no grammar or does not parse by blocks between blank lines."""

import re
from collections.abc import Iterator, Sequence

from llm_twin_assets.features.chunk_article import article_spans
from llm_twin_assets.features.chunk_cut import Span
from llm_twin_assets.features.chunk_definitions import Unit, definition_units
from llm_twin_assets.features.chunk_grammars import grammar
from llm_twin_assets.features.chunk_size import Sizer

# A block of a brace language begins at a line without indentation after a blank line.
_TOP_LEVEL = re.compile(r"\n[^\S\n]*\n(?=[^\s})\]])")
_SMALL_SHARE = 3


def code_spans(sizer: Sizer, place: str, language: str | None) -> Iterator[tuple[Span, str]]:
    """Spans of the chunks with their context: path › class › signature, or path › heading of Markdown."""
    if language == "markdown":
        yield from article_spans(sizer, place)
        return
    known = grammar(language)
    units = definition_units(sizer, known) if known else None
    if units is None:
        units = [Unit(span, (span,)) for span in _blocks(sizer.text)]
    for group in _joined(units, sizer):
        whole = (group[0].span[0], group[-1].span[1])
        context = sizer.context((place, *group[0].path))
        if sizer.fits(whole, context):
            yield whole, context
            continue
        # The signature stands in the text of a whole definition; the parts of a long one need it as context.
        context = sizer.context((place, *group[0].path, group[0].signature))
        for span in sizer.pack([part for unit in group for part in unit.parts], context):
            yield span, context


def _joined(units: Sequence[Unit], sizer: Sizer) -> Iterator[list[Unit]]:
    """Neighbours of the same place together, where both are small."""
    small = sizer.max_tokens // _SMALL_SHARE
    group: list[Unit] = []
    size = 0.0
    for unit in units:
        cost = sizer.cost(unit.span)
        if group and (unit.path != group[0].path or max(cost, size) > small):
            yield group
            group, size = [], 0.0
        group.append(unit)
        size += cost
    if group:
        yield group


def _blocks(text: str) -> list[Span]:
    ends = [match.end() for match in _TOP_LEVEL.finditer(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True)) if text else []
