"""Code blocks as fenced Markdown, and tokens that stand for them while a converter works on the rest."""

import re
from dataclasses import dataclass, field

_LIST_MARK = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])[ \t]*")
_BACKTICKS = re.compile(r"`+")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One code block as its author wrote it."""

    code: str
    language: str

    def fence(self, indent: str = "") -> str:
        """The block as fenced Markdown; the fence is longer than any run of backticks in the code."""
        ticks = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(self.code)), default=0))
        lines = [f"{ticks}{self.language}", *self.code.split("\n"), ticks]
        return "\n".join((indent + line) if line or indent.strip() else line for line in lines)


@dataclass
class CodeBlocks:
    """The blocks taken out of one page, by token."""

    salt: str
    blocks: dict[str, CodeBlock] = field(default_factory=dict)

    def keep(self, block: CodeBlock) -> str:
        """Remember a block; returns the token that stands for it."""
        token = f"codeblock{self.salt}n{len(self.blocks)}x"
        self.blocks[token] = block
        return token

    def restore(self, markdown: str) -> str:
        """Markdown with every token replaced by its fence, at the indentation of the token."""
        if not self.blocks:
            return markdown
        # Markdown may have put the token after the mark of a list item, in a quotation, or into `inline code`.
        pattern = re.compile(
            rf"(?P<before>^|^.*?\S[ \t]*)(?P<indent>[ \t>]*)`*(?P<token>codeblock{self.salt}n\d+x)`*(?P<after>[ \t]*$|)"
        )
        lines = (pattern.sub(self._fenced, line) if self.salt in line else line for line in markdown.split("\n"))
        return re.sub(r"(?<=\n)\n{2,}(?=[ \t>]*`{3,})", "\n", "\n".join(lines))

    def _fenced(self, match: re.Match[str]) -> str:
        before = match["before"]
        fence = self.blocks[match["token"]].fence(_indent(before) if before else match["indent"])
        tail = "" if match.end() == len(match.string) else "\n\n"
        if not before:
            return fence + tail
        if _LIST_MARK.fullmatch(before):  # the block opens a list item
            return before + fence.lstrip(" ") + tail
        return f"{before.rstrip()}\n\n{fence}{tail}"


def _indent(before: str) -> str:
    """What a block below this line begins with, to belong to the same list item or quotation."""
    mark = _LIST_MARK.match(before)
    return re.sub(r"[^>\s]", " ", mark[0]) if mark else re.match(r"[ \t>]*", before)[0]  # type: ignore[index]
