"""Articles by their heading tree: a chunk never runs across sections, but for sections too small to stand alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_twin_assets.features.chunk_cut import Span
from llm_twin_assets.features.chunk_size import Sizer
from llm_twin_assets.features.markdown_blocks import Block, markdown_blocks

# A section smaller than this share of a chunk goes together with its neighbour.
_SMALL_SHARE = 3


@dataclass(frozen=True, slots=True)
class _Section:
    path: tuple[str, ...]
    blocks: tuple[Block, ...]
    cost: float


def article_spans(sizer: Sizer, title: str) -> Iterator[tuple[Span, str]]:
    """Spans of the chunks with their context: title › heading › …"""
    for group in _joined(_sections(sizer), sizer.max_tokens):
        context = sizer.context((title, *(heading for heading in _common_path(group) if heading != title)))
        spans = _kept_together(sizer, [block for section in group for block in section.blocks], context)
        for span in sizer.pack(spans, context):
            yield span, context


def _sections(sizer: Sizer) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for block in markdown_blocks(sizer.text):
        if block.kind == "heading" and blocks and blocks[-1].kind != "heading":
            yield _section(sizer, path, blocks)
            blocks = []
        if block.kind == "heading":
            path = [*(each for each in path if each[0] < block.level), (block.level, block.heading)]
        blocks.append(block)
    if blocks:
        yield _section(sizer, path, blocks)


def _section(sizer: Sizer, path: Sequence[tuple[int, str]], blocks: Sequence[Block]) -> _Section:
    return _Section(tuple(heading for _, heading in path), tuple(blocks), sizer.cost((blocks[0].start, blocks[-1].end)))


def _joined(sections: Iterator[_Section], max_tokens: int) -> Iterator[list[_Section]]:
    """Neighbouring sections together where one of them is small and both have room in one chunk."""
    small, room = max_tokens // _SMALL_SHARE, max_tokens * 2 // 3
    group: list[_Section] = []
    size = 0.0
    for section in sections:
        if group and (size + section.cost > room or min(size, section.cost) >= small):
            yield group
            group, size = [], 0.0
        group.append(section)
        size += section.cost
    if group:
        yield group


def _common_path(group: Sequence[_Section]) -> tuple[str, ...]:
    path = group[0].path
    for section in group[1:]:
        shared = next((i for i, (a, b) in enumerate(zip(path, section.path, strict=False)) if a != b), None)
        path = path[: min(len(path), len(section.path)) if shared is None else shared]
    return path


def _kept_together(sizer: Sizer, blocks: Sequence[Block], context: str) -> list[Span]:
    """Spans of the blocks; a heading belongs to what it heads, but a fence that only fits alone stays whole."""
    spans: list[Span] = []
    start: int | None = None
    for block in blocks:
        if block.kind == "heading":
            start = block.start if start is None else start
            continue
        if start is not None and (block.kind == "text" or sizer.fits((start, block.end), context)):
            spans.append((start, block.end))
        else:
            spans += ([(start, block.start)] if start is not None else []) + [(block.start, block.end)]
        start = None
    if start is not None:
        spans.append((start, blocks[-1].end))
    return spans
