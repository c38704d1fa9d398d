"""The chat page in a real browser. Where there is no Chromium it is skipped: nothing is downloaded for it."""

import shutil
from collections.abc import Iterator

import pytest

from bentos.api import create_app, open_up
from bentos.desk import Desk
from llm_twin_assets.domain.remark import prefix, read
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.bentos.scripted import TRUE, Scripted

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]

playwright = pytest.importorskip("playwright.sync_api")
QUESTION = "How should I split samples into training and test set?"
PHONE = {"width": 390, "height": 780}


@pytest.fixture(scope="module")
def url(desk: Desk) -> Iterator[str]:
    app = create_app()
    open_up(app, desk)
    with servers.in_thread(app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> "Iterator[playwright.Browser]":
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: "playwright.Browser", url: str) -> "Iterator[playwright.Page]":
    """The page at a phone's width; whatever the browser complains of, its policy included, fails the test."""
    opened = browser.new_page(viewport=PHONE)
    opened.set_default_timeout(20_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(url)
    opened.locator("#author option").first.wait_for(state="attached")
    yield opened
    opened.close()
    # That a service is gone is the page's to say; the browser says so, too.
    assert [each for each in complaints if "ERR_INTERNET_DISCONNECTED" not in each] == []


def test_ask_by_keyboard_read_the_stream_open_a_citation_and_close_it(page: "playwright.Page", engine: Scripted):
    engine.pause = 0.02
    page.locator("#author").select_option("maya")
    page.locator("#question").fill(QUESTION)
    page.keyboard.press("Enter")
    mark = page.locator(".text button.mark").first
    mark.wait_for()
    assert page.locator("article.mine").inner_text() == QUESTION
    mark.focus()
    page.keyboard.press("Enter")
    assert page.locator("#source-quote").inner_text()
    assert page.locator("#source-link").get_attribute("href") == "https://example.org/leakage"
    assert mark.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert page.locator("#source").is_hidden()
    assert mark.evaluate("element => element === document.activeElement")
    assert "Release maya-000001" in page.locator("article .foot").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_thumb_and_correct_by_keyboard_then_reload_and_find_both_again(
    page: "playwright.Page", engine: Scripted, desk: Desk
):
    page.locator("#author").select_option("maya")
    page.locator("#question").fill(QUESTION)
    page.keyboard.press("Enter")
    down = page.get_by_role("button", name="Bad answer")
    down.wait_for()
    down.focus()
    page.keyboard.press("Enter")
    page.locator(".opinion p", has_text="that is noted").wait_for()
    assert (down.get_attribute("aria-pressed"), page.locator("#said").inner_text()) == (
        "true",
        "Thanks, that is noted.",
    )
    assert down.evaluate("element => element === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    text = page.get_by_label("I would have written:")
    assert text.input_value() == TRUE, "it begins with the answer, without its marks"
    text.fill("<b>As I said</b>: by document.\n")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".opinion p", has_text="your words are kept").wait_for()
    assert text.is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    page.reload()
    page.get_by_role("button", name="Bad answer").wait_for()
    assert page.locator("article.mine").inner_text() == QUESTION
    assert page.get_by_role("button", name="Bad answer").get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="Good answer").get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="I would have written…").click()
    assert page.get_by_label("I would have written:").input_value() == "<b>As I said</b>: by document.\n"
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.get_by_role("button", name="Good answer").click()
    page.locator(".opinion p", has_text="Not kept: The service cannot be reached").wait_for()
    assert page.get_by_role("button", name="Good answer").get_attribute("aria-pressed") == "false"

    kept = [read(desk.releases.objects, path) for path in desk.releases.objects.list(prefix("maya"))]
    mine = [each for each in kept if each.answered and each.answered.question == QUESTION]
    assert {each.thumb for each in mine} == {"down", None}
    assert "<b>As I said</b>: by document.\n" in {each.corrected_text for each in mine}
    assert len({each.answer_id for each in mine if each.corrected_text}) == 1
    page.context.set_offline(False)
    page.get_by_role("button", name="New conversation").click()
    page.reload()
    page.locator("#author option").first.wait_for(state="attached")
    assert page.locator("article").count() == 0


def test_what_comes_is_text_and_never_markup_and_a_draft_is_one_button_away(page: "playwright.Page", engine: Scripted):
    page.get_by_text("Article", exact=True).click()
    page.locator("#question").fill("<img src=x onerror=alert(1)> split by document")
    page.locator("#send").click()
    page.locator("article .foot").wait_for()
    assert page.locator("img").count() == 0
    assert "<img" in page.locator("article.mine").inner_text()
    assert page.locator(".theirs .text").inner_text()


def test_an_answer_can_be_stopped_and_a_service_that_is_gone_is_said(page: "playwright.Page", engine: Scripted):
    engine.pause = 0.5
    page.locator("#question").fill(QUESTION)
    page.locator("#send").click()
    page.locator("#stop").click()
    page.get_by_text("Stopped.").first.wait_for()
    assert engine.noticed.wait(10)
    page.context.set_offline(True)
    page.locator("#question").fill(QUESTION)
    page.locator("#send").click()
    page.get_by_text("The service cannot be reached").first.wait_for()
    assert page.locator("#question").input_value() == QUESTION
