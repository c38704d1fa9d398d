"""Chrome: what a platform's page puts around an author's words. Found line by line, removed in whole rows.

The rules are data (`chrome_platforms`, `chrome_anywhere`). A row of neighbouring chrome lines goes if one of them is
strong; everything else stays as it is, character by character. A platform's rules are tried only on pages that show
they are of that platform, so that an author's own Markdown, which shows nothing, comes out identical. Code is never
looked at.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from llm_twin_assets.features.chrome_anywhere import ANYWHERE
from llm_twin_assets.features.chrome_flat import without_flat_chrome
from llm_twin_assets.features.chrome_platforms import PLATFORMS
from llm_twin_assets.features.chrome_rules import Platform, Rule
from llm_twin_assets.features.text_lines import LONGEST, Line, joined_rows, text_lines

# No page with chrome is this long; rules over 50 MB of dump would take minutes and find nothing.
_LONGEST_PAGE = 1_000_000

# Converters wrap a heading at 78 characters like any other line; where a word was long, well before.
_WRAPPED = 50
# So many different words of a menu are one.
_MENU = 3
_HIDDEN = frozenset({""})


def without_chrome(text: str) -> str:
    """Markdown without the lines that are nothing but page chrome.

    Twice is once: what is left is tried again until no rule finds anything.
    """
    if len(text) > _LONGEST_PAGE:
        return text
    known: frozenset[str] = frozenset()
    while True:
        text = without_flat_chrome(text)
        lines = tuple(_paragraphs(text))
        strong = [line for line in lines if line.words and _may_be_strong(line)]
        shown = tuple(each for each in PLATFORMS if strong and (each.name in known or _is_of(each, strong)))
        known |= {platform.name for platform in shown}
        dropped = _dropped(lines, _rules(shown)) if strong or _begins_or_ends_with_a_menu(lines) else set()
        if not dropped:
            return text
        text = joined(text, lines, dropped)


def joined(text: str, lines: Sequence[Line], dropped: Collection[int]) -> str:
    """The text without some of its lines; between what was apart stays the widest gap that was there."""
    kept = [at for at in range(len(lines)) if at not in dropped]
    while kept and lines[kept[-1]].kind == "break" and kept[-1] + 1 in dropped:
        kept.pop()  # a rule that parted the text from what stood below it
    if not kept:
        return ""
    out: list[str] = [text[: lines[0].start]] if kept[0] == 0 else []
    for before, at in zip([None, *kept], kept, strict=False):
        if before is not None:
            gaps = (text[lines[n].end : lines[n + 1].start] for n in range(before, at))
            out.append(max(gaps, key=lambda gap: gap.count("\n")))
        out.append(text[lines[at].start : lines[at].end])
    return "".join([*out, text[lines[-1].end :]] if kept[-1] == len(lines) - 1 else out)


def _paragraphs(text: str) -> Iterator[Line]:
    """The lines, those of a paragraph in one where it is as short as chrome that was wrapped."""
    rows: list[Line] = []
    for line in text_lines(text):
        if rows and not _goes_on(text, rows[-1], line):
            yield from _wrapped(rows)
            rows = []
        rows.append(line)
    yield from _wrapped(rows)


def _goes_on(text: str, line: Line, below: Line) -> bool:
    """Whether the line below is of the same paragraph, or of a heading that a converter wrapped."""
    if text[line.end : below.start].strip(" \t") != "\n":
        return False
    wrapped = line.kind == "heading" and below.kind == "text" and line.end - line.start >= _WRAPPED
    return wrapped or not (line.whole or below.whole)


def _wrapped(rows: Sequence[Line]) -> Sequence[Line]:
    if len(rows) < 2 or any(row.kind in ("code", "break", "item") for row in rows[1:]):
        return rows
    paragraph = joined_rows(rows)
    if rows[0].kind == "heading":
        return [paragraph]
    short = len(paragraph.words) <= LONGEST
    return [paragraph] if short and _any_strong().fullmatch(paragraph.words) else rows


def _may_be_strong(line: Line) -> bool:
    return bool(_any_strong().fullmatch(line.words)) or (
        bool(line.target) and any(_has_form(rule, line) and rule.pattern.fullmatch(line.words) for rule in _linked())
    )


@cache
def _linked() -> tuple[Rule, ...]:
    rules = (rule for platform in (*PLATFORMS, ANYWHERE) for rule in platform.rules)
    return tuple(rule for rule in rules if rule.strong and rule.target)


@cache
def _any_strong() -> re.Pattern[str]:
    """Reads a line without a link as any strong rule would: most pages have none, and are done after this."""
    rules = (rule for platform in (*PLATFORMS, ANYWHERE) for rule in platform.rules)
    return _alternation(rule for rule in rules if rule.strong and not rule.target)


def _alternation(rules: Iterable[Rule]) -> re.Pattern[str]:
    return re.compile("|".join(rule.pattern.pattern for rule in rules), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules for one page. `plain` reads a line as any of those would that need nothing else of it."""

    plain: re.Pattern[str]
    unconditional: tuple[Rule, ...]
    conditional: tuple[Rule, ...]

    def matching(self, line: Line, first: bool, below: frozenset[str], proofs: Collection[str]) -> list[Rule]:
        if len(line.words) > LONGEST or (not line.words and line.kind not in ("heading", "item")):
            return []
        rules = self.unconditional if self.plain.fullmatch(line.words) else ()
        conditional = (
            rule
            for rule in self.conditional
            if (not rule.before or rule.before & below)
            and (not rule.proof or rule.proof in proofs)
            and _has_form(rule, line, first)
        )
        return [rule for rule in (*rules, *conditional) if rule.pattern.fullmatch(line.words)]


@cache
def _rules(platforms: tuple[Platform, ...]) -> _Rules:
    rules = [rule for platform in (*platforms, ANYWHERE) for rule in platform.rules]
    conditional = tuple(rule for rule in rules if rule.before or rule.proof or rule.shape or rule.target)
    unconditional = tuple(rule for rule in rules if rule not in conditional)
    return _Rules(_alternation(unconditional), unconditional, conditional)


def _is_of(platform: Platform, strong: Sequence[Line]) -> bool:
    """Whether a page's strong lines show that it is the platform's."""
    rules = [rule for rule in platform.rules if rule.strong]
    shown = (any(_has_form(rule, line) and rule.pattern.fullmatch(line.words) for line in strong) for rule in rules)
    return sum(shown) >= platform.evidence


def _has_form(rule: Rule, line: Line, first: bool = False) -> bool:
    if rule.target and not rule.target.search(line.target):
        return False
    return not rule.shape or line.kind == rule.shape or (first and rule.shape == "first")


def _dropped(lines: Sequence[Line], rules: _Rules) -> set[int]:
    """Places of the lines in rows that hold a strong one."""
    found = _found(lines, rules)
    dropped: set[int] = set()
    row: list[int] = []
    for at in range(len(lines) + 1):
        if at < len(lines) and found[at]:
            row.append(at)
            continue
        if _is_chrome(row, lines, found):
            dropped.update(row)
        row = []
    return dropped


def _begins_or_ends_with_a_menu(lines: Sequence[Line]) -> bool:
    return any(line.words and _rules(()).plain.fullmatch(line.words) for line in (*lines[:1], *lines[-1:]))


def _is_menu(row: Sequence[int], lines: Sequence[Line], found: Sequence[Rule | None]) -> bool:
    """Whether a row on top or at the end names some of a site's places, each on its own: a menu without a strong line.

    A list is one on top alone, and not of networks: it may say where the author is to be found.
    """
    kinds = {"text", "item"} if row and row[0] == 0 else {"text"}
    if not row or len(row) == len(lines) or not (row[0] == 0 or row[-1] == len(lines) - 1):
        return False
    if any(lines[at].kind not in kinds or not (lines[at].whole or lines[at].kind == "item") for at in row):
        return False
    labels = {"menu"} if any(lines[at].kind == "item" for at in row) else {"menu", "bar"}
    names = {lines[at].words.casefold() for at in row if (rule := found[at]) and rule.label in labels}
    return len(names) >= _MENU


def _is_chrome(row: Sequence[int], lines: Sequence[Line], found: Sequence[Rule | None]) -> bool:
    if not any(rule.strong for at in row if (rule := found[at])):
        return _is_menu(row, lines, found)
    # One line of a wrapped paragraph may only happen to read like chrome.
    return len(row) > 1 or lines[row[0]].whole


def _found(lines: Sequence[Line], rules: _Rules) -> list[Rule | None]:
    """The rule that each line is chrome by, from the last line to the first: some depend on the line below."""
    found: list[Rule | None] = [None] * len(lines)
    below: frozenset[str] = frozenset()
    proofs: set[str] = set()
    for at in range(len(lines) - 1, -1, -1):
        matching = rules.matching(lines[at], at == 0, below, proofs)
        below = frozenset(rule.label for rule in matching) - _HIDDEN
        proofs |= below
        found[at] = max(matching, key=lambda rule: (rule.to_end, rule.strong), default=None)
        if (rule := found[at]) and rule.to_end:
            found[at:] = [rule] * (len(lines) - at)
    return found
