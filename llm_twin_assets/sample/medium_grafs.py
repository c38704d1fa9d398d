"""Medium's markup inside a page's body, where every block is a "graf" that knows which graf came before it.

Headings are h3 and h4, where the author saw one and two levels below the title. A code block is a ``pre`` with a
``span.pre--content`` inside, its lines parted by ``<br>``; its language stands in ``data-code-block-lang``.
"""

from __future__ import annotations

import hashlib

from bs4 import BeautifulSoup, Tag

from llm_twin_assets.sample.markup import code_of

_GRAFS = ["h3", "h4", "p", "li", "blockquote", "pre"]
_MARKS = {"strong": "strong", "em": "em", "code": "code", "a": "anchor"}


def lower_headings(body: BeautifulSoup) -> None:
    """Turn the levels of Markdown into those of Medium, which keeps h1 and h2 for itself."""
    for heading in body.find_all(["h3", "h2"]):
        heading.name = "h4" if heading.name == "h3" else "h3"


def graf_name(seed: str, number: int) -> str:
    """Return the four hexadecimal digits that name a block within its page, the same at every build."""
    return hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()[:4]


def mark_grafs(body: BeautifulSoup, seed: str) -> None:
    """Give every block its name and classes and every inline mark its classes. The seed is the id of the page."""
    for inner in body.select("li > p, blockquote > p"):
        inner.unwrap()
    for outer in body.find_all(["ul", "ol"]):
        outer["class"] = "postList"
    grafs = body.find_all(_GRAFS)
    before = "graf--leading"
    for number, graf in enumerate(grafs, start=1):
        classes = ["graf", f"graf--{graf.name}", before]
        if graf.name == "pre":
            _write_code(body, graf)
            classes.append("graf--preV2")
        if number == len(grafs):
            classes.append("graf--trailing")
        classes += [str(extra) for extra in graf.get_attribute_list("class") if extra]
        name = graf_name(seed, number)
        graf.attrs.pop("class", None)
        graf.attrs.update({"name": name, "id": name, "class": " ".join(classes)})
        _mark_inline(graf)
        before = f"graf-after--{graf.name}"


def _write_code(body: BeautifulSoup, pre: Tag) -> None:
    """Rewrite a rendered code block as Medium holds it. Mode 2 has a language, mode 0 is plain text."""
    language, text = code_of(pre)
    content = body.new_tag("span", attrs={"class": "pre--content"})
    for number, line in enumerate(text.split("\n")):
        if number:
            content.append(body.new_tag("br"))
        content.append(line)
    pre.clear()
    pre.append(content)
    pre.attrs.update({"data-code-block-mode": "2" if language else "0", "spellcheck": "false"})
    if language:
        pre["data-code-block-lang"] = language


def _mark_inline(graf: Tag) -> None:
    """Give the bold, italic, code and link marks within a block the classes that name the mark and the block."""
    for mark in graf.find_all(list(_MARKS)):
        kind = _MARKS[mark.name]
        if mark.name == "a":
            mark["data-href"] = str(mark["href"])
        mark["class"] = f"markup--{kind} markup--{graf.name}-{kind}"
        if mark.name == "a":
            mark["rel"] = "noopener"
            mark["target"] = "_blank"
