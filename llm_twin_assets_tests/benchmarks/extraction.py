"""What is extracted of web pages, against trafilatura alone in the same run: words, lines of code, processor time.

`TWIN_EXTRACTION_PAGES` names a folder of pages with what should come out, `fixtures/NAME.html` and `expected/NAME.md`;
without it, a few pages of this module's own are measured.
"""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.extract import extract, plain_text
from llm_twin_assets_tests.benchmarks.measuring import Row

CODE_LINES, MILLISECONDS = 0.85, 15.0
_SHINGLE = 4
_ROUNDS = 3
_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})")
_FRONT = re.compile(r"\A```json\n.*?\n```\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its article as Markdown, as a person would write it down."""

    html: str
    expected: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way of extracting reached on all pages."""

    f1: float
    code_lines: float
    milliseconds: float


# HTML to Markdown and plain text.
Extractor = Callable[[str], tuple[str, str]]


def measure() -> list[Row]:
    """F1 over shingles of four words, share of code lines verbatim in a fence, milliseconds a page."""
    pages = list(_pages())
    ours, theirs = _measured(pages, _ours), _measured(pages, _trafilatura)
    return [
        Row(f"F1 of words, {len(pages)} pages", f"{ours.f1:.3f}, trafilatura {theirs.f1:.3f}", "at least trafilatura's",
            ours.f1 >= theirs.f1),
        Row("code lines verbatim in a fence", f"{ours.code_lines:.3f}, trafilatura {theirs.code_lines:.3f}",
            f"at least {CODE_LINES}", ours.code_lines >= CODE_LINES),
        Row("CPU a page", f"{ours.milliseconds:.1f} ms, trafilatura {theirs.milliseconds:.1f} ms",
            f"at most {MILLISECONDS:.0f} ms", ours.milliseconds <= MILLISECONDS),
    ]  # fmt: skip


def _pages() -> Iterator[Page]:
    folder = os.environ.get("TWIN_EXTRACTION_PAGES")
    if not folder:
        yield from _own_pages()
        return
    for file in sorted(Path(folder, "fixtures").glob("*.html")):
        expected = Path(folder, "expected", f"{file.stem}.md")
        if expected.exists():
            yield Page(file.read_text(encoding="utf-8"), _FRONT.sub("", expected.read_text(encoding="utf-8")))


def _measured(pages: list[Page], extractor: Extractor) -> Measured:
    found = [extractor(page.html) for page in pages]  # warm: what is imported on the way is no page's cost
    best = min(_seconds(pages, extractor) for _ in range(_ROUNDS))
    lines = [
        (line, markdown) for page, (markdown, _) in zip(pages, found, strict=True) for line in _code(page.expected)
    ]
    verbatim = sum(line in set(_code(markdown)) for line, markdown in lines)
    f1 = [_f1(text, plain_text(page.expected)) for page, (_, text) in zip(pages, found, strict=True)]
    return Measured(sum(f1) / len(f1), verbatim / max(1, len(lines)), 1000 * best / len(pages))


def _seconds(pages: list[Page], extractor: Extractor) -> float:
    began = time.process_time()
    for page in pages:
        extractor(page.html)
    return time.process_time() - began


def _ours(html: str) -> tuple[str, str]:
    try:
        extracted = extract(html)
    except CleaningError:
        return "", ""
    return extracted.markdown, extracted.text


def _trafilatura(html: str) -> tuple[str, str]:
    import trafilatura

    markdown = trafilatura.extract(html, favor_precision=True, include_comments=False, output_format="markdown") or ""
    return markdown, plain_text(markdown)


def _f1(text: str, expected: str) -> float:
    ours, theirs = _shingles(text), _shingles(expected)
    both = sum((ours & theirs).values())
    return 2 * both / max(1, sum(ours.values()) + sum(theirs.values()))


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    return Counter(tuple(words[at : at + _SHINGLE]) for at in range(max(1, len(words) - _SHINGLE + 1)))


def _code(markdown: str) -> list[str]:
    """Lines inside of fences that are not blank."""
    lines: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and line.strip(" >") == mark[1]:
            fence = ""
        elif fence and line.strip():
            lines.append(line.rstrip())
    return lines


_STORY = (
    "The mill at the lower bridge was sold in spring, and nobody in the village has heard its wheel since then.",
    "Its new owner wants to weave there again, with forty looms and a small turbine where the wheel has been.",
    "What the council asked was whether the river carries enough water in August, and what the fish would say to it.",
    "An answer came in June: from the middle of July on, the turbine stands still, and the looms are run by the sun.",
    "So the shed gets a roof of glass and silicon, and the old women of the village come to look at the threads.",
)
_PYTHON = 'def warp(threads: int) -> list[str]:\n    """Count them twice."""\n\n    return ["x"] * threads  # not & <i>'
_SHELL = "pip install loom\nloom warp --threads 160 \\\n    --tension high | tee warp.log"
_LINKS = "".join(
    f'<li><a href="/n/{number}">Another story with a long headline {number}</a></li>' for number in range(30)
)


def _own_pages() -> Iterator[Page]:
    """A news page, a blog of `<div>`s and breaks, documentation with numbered and tabbed code, a file in a forge."""
    paragraphs = "".join(f"<p>{words}</p>" for words in _STORY)
    story = "\n\n".join(_STORY)
    yield _page(
        f'<h1>The mill</h1><p class="byline">By A. Weaver</p>{paragraphs}<div class="share-bar">Share it</div>'
        f'<div class="related"><h3>Read more</h3><ul>{_LINKS}</ul></div>',
        story,
    )
    yield _page(
        f'<div class="entry"><div class="ad"></div>{"<br><br>".join(_STORY)}</div><div id="comments">'
        f"{'<p>Nice story, said one who read it.</p>' * 9}</div>",
        story,
    )
    numbers = "\n".join(str(number + 1) for number in range(_PYTHON.count("\n") + 1))
    python = _PYTHON.replace("&", "&amp;").replace("<", "&lt;")
    yield _page(
        f'{paragraphs}<div class="highlight-python3"><table class="highlighttable"><tr><td class="linenos"><pre>'
        f'{numbers}</pre></td><td class="code"><div class="highlight"><pre>{python}</pre></div></td></tr></table></div>'
        f'<p>{_STORY[0]}</p><div class="tabs"><div class="tab-menu">bash</div><div class="code-toolbar"><pre '
        f'class="language-bash"><code>{_SHELL.replace(chr(10), "<br>")}</code></pre><button>Copy</button></div></div>'
        f"<p>{_STORY[1]}</p>",
        f"{story}\n\n```python3\n{_PYTHON}\n```\n\n{_STORY[0]}\n\n```bash\n{_SHELL}\n```\n\n{_STORY[1]}",
    )
    rows = "".join(
        f'<tr><td class="blob-num" data-line-number="{number}"></td><td class="blob-code">{line or chr(10)}</td></tr>'
        for number, line in enumerate(python.split("\n"))
    )
    yield _page(f'<div class="blob"><table class="highlight">{rows}</table></div>', f"```\n{_PYTHON}\n```")


def _page(article: str, expected: str) -> Page:
    return Page(
        f"<!DOCTYPE html><html lang='en'><head><title>The mill | News</title><style>{'p {}' * 99}</style></head><body>"
        f'<header><nav><ul>{_LINKS}</ul></nav></header><main><article class="post">{article}</article></main>'
        f'<aside class="sidebar"><ul>{_LINKS}</ul></aside><footer>Imprint, cookies, terms</footer></body></html>',
        expected,
    )
