"""Whole pages: the article without the site around it, its code, and what the page says about itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.extract import extract, plain_text, without_title

PARAGRAPH = "The engine weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves. " * 4
PAGE = f"""<!DOCTYPE html><html lang="en-GB"><head><title>Looms | Ada's site</title>
<link rel="canonical" href="/looms"><meta property="og:title" content="On looms &amp; engines">
<script type="application/ld+json">{{"@graph": [{{"@type": "WebSite", "name": "x"}}, {{"@type": "BlogPosting",
"headline": "On looms", "author": [{{"@type": "Person", "name": "Ada Lovelace"}}],
"datePublished": "1843-09-05T10:00:00+01:00"}}]}}
</script></head><body><nav><a href="/">Home</a><a href="/about">About us</a></nav><article><h1>On looms</h1>
<p>{PARAGRAPH}</p><h2>Cards</h2><p>{PARAGRAPH}</p>
<pre><code class="language-rust">fn main() {{
    let x = &amp;1; // `tick`

}}</code></pre><p>{PARAGRAPH}</p></article><footer>Cookies, terms, imprint</footer></body></html>"""


def article(inner):
    """A page whose article is a paragraph, what is given, and a paragraph."""
    body = f"<article><p>{PARAGRAPH}</p>{inner}<p>{PARAGRAPH}</p></article>"
    return f"<html><head><title>Looms</title></head><body>{body}</body></html>"


def test_a_page_gives_its_article_and_what_it_says_about_itself():
    page = extract(PAGE, "https://ada.example/looms?utm=1")
    assert page.title == "On looms"
    assert page.author == "Ada Lovelace"
    assert page.published_at == datetime(1843, 9, 5, 9, tzinfo=UTC)
    assert page.language == "en"
    assert page.canonical_url == "https://ada.example/looms"
    assert page.markdown.startswith("# On looms\n\nThe engine")
    assert "\n\n## Cards\n\n" in page.markdown
    assert "```rust\nfn main() {\n    let x = &1; // `tick`\n\n}\n```" in page.markdown
    assert "Cookies" not in page.markdown
    assert "About us" not in page.markdown


def test_the_text_is_the_words_alone_without_the_title():
    text = extract(PAGE).text
    assert text.startswith("The engine")
    assert "#" not in text
    assert "\n\nCards\n\n" in text
    assert "let x = &1; // `tick`" in text


def test_a_first_heading_of_other_words_than_the_title_is_still_the_title():
    assert extract(PAGE.replace("<h1>On looms", "<h1>Looms, and on them")).text.startswith("The engine")


def test_links_emphasis_lists_tables_and_quotations_are_markdown():
    page = extract(
        article(
            """<p>See <a href="../b?x=1#y">the <b>second</b> note</a>, <em>please</em>, and call
            <code>run(`x`)</code>.<br>Now.</p><ol><li>Warp<ul><li>count <strong>every</strong> thread</li></ul></li>
            <li>Weave and weave again</li></ol>
            <table><tr><th>Thread</th><th>Count</th></tr><tr><td>red | blue</td><td>40</td></tr></table>
            <blockquote><p>It weaves.</p><p>Indeed it does.</p></blockquote>
            <h3>A <code>card</code><a class="headerlink" href="#c">¶</a></h3>
            <p>The last words of it all, for now.</p>"""
        ),
        "https://ada.example/notes/a/",
    )
    assert (
        "See [the **second** note](https://ada.example/notes/b?x=1#y), *please*, and call ``run(`x`)``.  \nNow."
        in page.markdown
    )
    assert "\n\n1. Warp\n   - count **every** thread\n2. Weave and weave again\n\n" in page.markdown
    assert "| Thread | Count |\n| --- | --- |\n| red \\| blue | 40 |" in page.markdown
    assert "> It weaves." in page.markdown
    assert "### A `card`\n\n" in page.markdown
    assert "See the second note, please, and call run(`x`).\nNow." in page.text
    assert "Warp\ncount every thread\nWeave and weave again" in page.text
    assert "Thread\tCount\nred | blue\t40" in page.text


def test_marks_cost_and_add_no_words():
    words = "Some of the words here are linked, some are strong and some are both of it, as words go. " * 5
    plain = f"<p>{words}</p><ul><li>{words}</li></ul>"
    marked = plain.replace("words here", '<a href="/x"><b>words</b> here</a>').replace("strong", "<i>strong</i>")
    assert extract(article(marked)).text == extract(article(plain)).text


def test_private_use_characters_of_the_page_stay_what_they_are():
    page = extract(article('<p>Icon \U000f0001 and <a href="/x">\U000f0000 link</a> it is, said the engine.</p>'))
    assert "Icon \U000f0001 and [\U000f0000 link](/x) it is" in page.markdown
    assert "Icon \U000f0001 and \U000f0000 link it is" in page.text


@pytest.mark.parametrize(
    "box",
    [
        "<figure><figcaption>Listing</figcaption>{}</figure>",
        '<div class="code-toolbar embed widget">{}<div class="toolbar"><button>Copy</button></div></div>',
        '<div class="tabs"><div>{}</div><div style="display:none"><pre>other</pre></div></div>',
        '<aside class="note"><p>Mind this one:</p>{}</aside>',
        '<div class="share-box related"><p>See <a href="/a">a</a> <a href="/b">b</a></p>{}</div>',
        "<details><summary>More</summary>{}</details>",
        "<table><tr><td>{}</td></tr></table>",
        "<blockquote>{}</blockquote>",
        "<ul><li>Do this:{}</li><li>Then that, and that as well.</li></ul>",
        '<form action="/x">{}</form>',
        "<dl><dt>Term</dt><dd>{}</dd></dl>",
    ],
)
def test_code_is_kept_in_whatever_box_it_stands(box):
    code = "<pre><code class='language-py'>def f():\n    return 1</code></pre>"
    page = extract(article(f"<p>First words.</p>{box.format(code)}<p>Second words.</p>"))
    assert page.markdown.count("\n```py\ndef f():\n    return 1\n```\n") == 1
    assert page.markdown.index("First words.") < page.markdown.index("```py") < page.markdown.index("Second words.")
    assert "def f():\n    return 1" in page.text


@pytest.mark.parametrize("place", ['<div id="comments"><div class="comment">{}</div></div>', "<footer>{}</footer>"])
def test_code_of_others_around_the_article_is_left_out(place):
    others = place.format("<pre>evil()\nmore()</pre>")
    page = PAGE.replace("</article>", f"</article>{others}")
    assert "evil" not in extract(page).markdown


def test_a_page_of_code_alone_is_its_code():
    assert (
        extract("<html><body><main><pre>a = 1\nb = 2</pre></main></body></html>").markdown == "```\na = 1\nb = 2\n```"
    )


def test_the_same_code_for_light_and_dark_is_one_block():
    pair = '<div><pre data-theme="dark">a\nb</pre><pre data-theme="light">a\nb</pre></div>'
    assert extract(article(pair)).markdown.count("```\na\nb\n```") == 1


def test_words_behind_the_place_of_an_advertisement_are_kept():
    words = "Here the story goes on, in a long sentence of its own that nobody should lose."
    page = extract(
        article(f'<p>Before it.<span class="ad"></span> {words}</p><div><div class="ad"></div>{words} Again.</div>')
    )
    assert page.text.count(words) == 2


def test_a_page_that_trafilatura_finds_little_on_is_read_by_others():
    rows = "".join(f'<div class="share-bar"><div class="hidden">{PARAGRAPH}{number}</div></div>' for number in range(9))
    page = extract(f'<html><head><title>x</title></head><body><div class="related">{rows}</div></body></html>')
    assert "Jacquard loom" in page.text


def test_exports_and_fragments_of_platforms_are_taken_whole():
    medium = f"""<!DOCTYPE html><html><head><title>Looms</title></head><body><article class="h-entry">
    <h1 class="p-name">Looms</h1><section data-field="subtitle" class="p-summary">Why</section>
    <section data-field="body" class="e-content"><h3 class="graf--title">Looms</h3>
    <p class="graf related">{PARAGRAPH}</p><p>Short.</p><pre>a<br>  b</pre></section>
    <footer><a class="p-author">Ada</a></footer></article></body></html>"""
    page = extract(medium)
    assert page.markdown == f"### Looms\n\n{PARAGRAPH.strip()}\n\nShort.\n\n```\na\n  b\n```"
    assert page.text == f"{PARAGRAPH.strip()}\n\nShort.\n\na\n  b"
    assert extract("<p>Only <b>this</b>.</p><p>And that.</p>").markdown == "Only **this**.\n\nAnd that."


@pytest.mark.parametrize("html", ["", "   ", "<html><body></body></html>", "<p></p>", "\x00\x01", "<html><body><pre> "])
@pytest.mark.parametrize("backend", ["cascade", "newspaper"])
def test_a_page_without_text_is_an_error(html, backend):
    with pytest.raises(CleaningError):
        extract(html, backend=backend)


def test_plain_text_keeps_words_and_code_and_drops_marks():
    assert (
        plain_text("## A *b*\n\nSee [this](https://x.org/a_(b)) `c`\n\n```sh\n# d\n```") == "A *b*\n\nSee this c\n\n# d"
    )


def test_a_heading_that_repeats_the_title_is_dropped():
    assert without_title("# On *Looms*!\n\nText", "On looms") == "Text"
    assert without_title("On Looms\n========\n\nText", "On looms") == "Text"
    assert without_title("# Another\n\nText", "On looms") == "# Another\n\nText"


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=60)
def test_any_text_is_a_page_or_a_clear_error(html):
    for page in (html, f"<html><body>{html}</body></html>"):
        try:
            assert extract(page).markdown.strip()
        except CleaningError:
            continue


TAGS = st.sampled_from(
    [
        "div",
        "p",
        "span",
        "pre",
        "code",
        "table",
        "tr",
        "td",
        "ul",
        "li",
        "b",
        "a",
        "h1",
        "blockquote",
        "br",
        "section",
        "q",
        "figure",
        "form",
        "script",
    ]
)


@given(st.lists(st.tuples(TAGS, st.sampled_from(["word", "1", " ", "a\nb", "&lt;"]), st.booleans()), max_size=40))
@settings(deadline=None, max_examples=60)
def test_any_markup_is_a_page_or_a_clear_error(pieces):
    html = "".join(
        f"<{tag} class='line code' href='x'>{text}" + (f"</{tag}>" if close else "") for tag, text, close in pieces
    )
    try:
        page = extract(f"<html><body>{html}</body></html>")
    except CleaningError:
        return
    assert page.markdown.strip()
    assert not any(ord(character) >= 0xF0000 for character in page.markdown + page.text)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 3000 + PARAGRAPH,
        "<p>" + "<b>" * 3000 + PARAGRAPH,
        "<ul><li>x" * 2000,
        "<p>" + "<code>x</code> and " * 3000,
        "<p class='" + "a " * 200_000 + "'>" + PARAGRAPH,
        "<table>" + "<tr><td rowspan=99999 colspan=99999>a</td><td>b</td></tr>" * 100,
        "<p>" + "[" * 20_000 + "](" * 20_000 + PARAGRAPH,
        "<pre>" + "`" * 50_000 + "</pre>",
        "<pre>" + "".join(f"<span>{number}</span> x\n" for number in range(3000)) + "</pre>",
    ],
    ids=range(9),
)
@pytest.mark.timeout(20)
def test_hostile_pages_end_in_time(html):
    try:
        extract(f"<html><body>{html}")
    except CleaningError:
        return
