"""What a person is shown of an evaluation, in both forms."""

import re
from datetime import datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from llm_twin_assets.evaluation.report import plots
from llm_twin_assets.evaluation.report.html import html
from llm_twin_assets.evaluation.report.markdown import markdown
from llm_twin_assets.evaluation.report.plots import Point
from llm_twin_assets_tests.evaluation.compared import page, typical, verdict

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</pre></div></body>",
    "<!-- ",
    "\x00\u202e| ![](https://example.com/x.png) `code` [link](javascript:alert(1))",
)


class Elements(HTMLParser):
    """Every element with its attributes, and the text between them."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_verdict_comes_first_in_both_forms(now: datetime) -> None:
    found = page(verdict(now, typical(0.1)))
    assert markdown(found).startswith("# Passed: model version 2 of maya\n\nBetter than champion 1.")
    body = html(found).partition("<body>")[2]
    assert body.lstrip().startswith("<h1 class='passed'>Passed: model version 2 of maya</h1>")
    assert body.index("Better than champion 1.") < body.index("<table>")


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_wrote_is_shown_and_never_obeyed(text: str, now: datetime) -> None:
    harmless = [tag for tag, _ in Elements(html(page(verdict(now, typical(0.1)), "harmless"))).elements]
    found = Elements(html(page(verdict(now, typical(0.1), reason=f"because {text}"), text)))
    assert [tag for tag, _ in found.elements] == harmless
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert text.replace("\x00", "") in found.text.replace("\x00", "")


def test_the_page_needs_nothing_from_elsewhere(now: datetime) -> None:
    content = html(page(verdict(now, typical(0.1))))
    found = Elements(content)
    assert {tag for tag, _ in found.elements} & {"script", "link", "img", "iframe", "object"} == set()
    assert not any({"src", "href"} & attributes.keys() for _, attributes in found.elements)
    assert "url(" not in content
    assert "@import" not in content
    policies = [each for tag, each in found.elements if tag == "meta" and "http-equiv" in each]
    assert (policies[0].get("content") or "").startswith("default-src 'none'")
    assert "prefers-color-scheme: dark" in content


def test_markup_of_a_model_stays_text_in_markdown(now: datetime) -> None:
    content = markdown(page(verdict(now, typical(0.1)), "<b>bold</b> | ![](https://example.com/x.png)"))
    assert "<b>" not in content
    assert re.search(r"(?<!\\)!?\[[^\]]*\]\(https://example", content) is None


def test_the_page_tells_measures_samples_changes_and_cost(now: datetime) -> None:
    for content in (html(page(verdict(now, typical(0.1)))), markdown(page(verdict(now, typical(0.1))))):
        for said in (
            "writes like the author", "not worse by 0.05", "within the limit of 20", "7 words", "for information",
            "an equal candidate is not shown", "Against the bare base", "candidate: The loom", "reference: The loom",
            "What changed since champion 1", "learning_rate", "training, seconds",
        ):  # fmt: skip
            assert said in content


def test_an_evaluation_without_anything_to_compare_has_a_page_all_the_same(now: datetime) -> None:
    found = verdict(now).model_copy(update={"passed": False, "with_base": (), "warnings": ()})
    empty = page(found).__class__(verdict=found, confidence=0.95)
    assert html(empty).count("<h2>") == 0
    assert markdown(empty).startswith("# Refused")


def test_plots_are_well_formed_and_point_to_every_document() -> None:
    drawn = ElementTree.fromstring(plots.scatter([Point("a < b & 'c'", 2.0, 2.0)] * 3, "bits"))
    assert len(drawn.findall(".//{*}circle")) == 3
    gains = ElementTree.fromstring(plots.gains(typical(0.1)))
    assert len(gains.findall(".//{*}circle")) == 4  # all but the hard limit, which is no difference
    assert plots.gains(()) == plots.scatter((), "bits") == ""


def test_right_of_the_middle_is_better_whatever_the_measure() -> None:
    drawn = ElementTree.fromstring(plots.gains(typical(0.1)[:3]))
    middle = float(drawn.findall(".//{*}line")[0].attrib["x1"])
    assert all(float(each.attrib["cx"]) > middle for each in drawn.findall(".//{*}circle"))
