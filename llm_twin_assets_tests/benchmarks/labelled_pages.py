"""Pages of which somebody said what is chrome, and how much of it cleaning took: of that, and of the rest."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "features" / "labelled"
_CHROME = re.compile("⟦(.*?)⟧", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’)*_]*\s+(?=[\"“‘(*_]*[A-Z0-9])")
_CODE = re.compile(
    r"^(`{3,})[^\n]*\n.*?^\1$|(?:(?<=\n\n)|\A)(?:(?: {4}|\t)[^\n]*\n?|[ \t]*\n(?= {4}|\t))+", re.DOTALL | re.MULTILINE
)
_APOSTROPHE = re.compile("['’]")
# A page in one run of text has no lines to tell by: its chrome is looked for in pieces of so many characters.
_PIECE = 40


@dataclass(frozen=True, slots=True)
class LabelledPage:
    """A page, the pieces of it that are chrome, and what is left without them."""

    name: str
    text: str
    chrome: tuple[str, ...]
    truth: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What cleaning left of a page; each pair is (there still, there before)."""

    chrome: tuple[str, ...]
    chrome_lines: int
    lost: tuple[str, ...]
    sentences: int
    apostrophes: tuple[int, int]
    code: tuple[int, int]


def labelled_pages() -> Iterator[LabelledPage]:
    """The suite's own pages."""
    for file in sorted(_FOLDER.iterdir()):
        if file.stem != "README":
            marked = file.read_text(encoding="utf-8").rstrip("\n")
            chrome = tuple(_CHROME.findall(marked))
            yield LabelledPage(file.stem, marked.replace("⟦", "").replace("⟧", ""), chrome, _CHROME.sub("\n", marked))


def cut_out(
    name: str, text: str, chrome: Sequence[tuple[int, int]], recurring: Sequence[tuple[int, int]]
) -> LabelledPage:
    """A page labelled by character spans; what only recurs on its site need neither be gone nor stay."""
    truth = text
    for start, end in sorted((*chrome, *recurring), reverse=True):
        truth = f"{truth[:start]}\n\n{truth[end:]}"
    return LabelledPage(name, text, tuple(text[start:end] for start, end in chrome), truth)


def kept(page: LabelledPage, title: str, cleaned: str) -> Kept:
    """How a page came out of cleaning as a title and a text."""
    shown = _plain(f"{title} {cleaned}")
    sentences = [each for each in _sentences(page.truth) if re.search(r"\w", each)]
    code = [match[0].strip() for match in _CODE.finditer(page.truth) if match[0].strip()]
    before = len(_APOSTROPHE.findall(page.truth))
    return Kept(
        chrome=tuple(_still_there(page, cleaned)),
        chrome_lines=sum(len(_lines(piece)) for piece in page.chrome),
        lost=tuple(each for each in sentences if each not in shown),
        sentences=len(sentences),
        apostrophes=(min(before, len(_APOSTROPHE.findall(f"{title} {cleaned}"))), before),
        code=(sum(each in cleaned for each in code), len(code)),
    )


def _still_there(page: LabelledPage, cleaned: str) -> Iterator[str]:
    may_stand = Counter(line.strip() for line in page.truth.split("\n"))
    stands = Counter(line.strip() for line in cleaned.split("\n"))
    for line in dict.fromkeys(line for piece in page.chrome for line in _lines(piece)):
        if len(line) == _PIECE and "\n" not in page.text[:2000]:
            if line in cleaned and line not in page.truth:
                yield line
        elif stands[line] > may_stand[line]:
            yield from [line] * (stands[line] - may_stand[line])


def _lines(piece: str) -> list[str]:
    lines = [line.strip() for line in piece.split("\n") if line.strip()]
    if len(lines) > 1 or not lines or len(lines[0]) < 2 * _PIECE:
        return lines
    return [lines[0][at : at + _PIECE] for at in range(0, len(lines[0]) - _PIECE + 1, _PIECE)]


def _sentences(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n[ \t]*\n", text):
        yield from filter(None, (_plain(each) for each in _SENTENCE_END.split(paragraph)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"^#+ ", "", text, flags=re.MULTILINE).split())
