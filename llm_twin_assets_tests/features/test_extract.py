"""Whole pages: the article without the site around it, code exactly, and what the page says about itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring, tostring

from llm_twin_assets.features.code_blocks import take_out
from llm_twin_assets.features.errors import CleaningError
from llm_twin_assets.features.extract import extract, plain_text
from llm_twin_assets.features.markdown import fragment_to_markdown

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


def test_a_page_gives_its_article_and_what_it_says_about_itself():
    page = extract(PAGE, "https://ada.example/looms?utm=1")
    assert page.title == "On looms"
    assert page.author == "Ada Lovelace"
    assert page.published_at == datetime(1843, 9, 5, 9, tzinfo=UTC)
    assert page.language == "en"
    assert page.canonical_url == "https://ada.example/looms"
    assert "## Cards" in page.markdown
    assert "```rust\nfn main() {\n    let x = &1; // `tick`\n\n}\n```" in page.markdown
    assert "Cookies" not in page.markdown
    assert "About us" not in page.markdown
    assert "#" not in page.text
    assert "let x = &1; // `tick`" in page.text


@pytest.mark.parametrize("html", ["", "   ", "<html><body></body></html>", "<p></p>", "\x00\x01"])
def test_a_page_without_text_is_an_error(html):
    with pytest.raises(CleaningError):
        extract(html)


def code_of(html):
    tree = document_fromstring(html)
    return [(block.code, block.language) for block in take_out(tree, html).blocks.values()]


@pytest.mark.parametrize(
    ("html", "code", "language"),
    [
        ("<pre>a<br>  b<br/></pre>", "a\n  b", ""),
        ('<div class="highlight highlight-source-shell"><pre>x</pre></div>', "x", "shell"),
        ('<pre class="brush: js; gutter: true">x</pre>', "x", "js"),
        ('<pre><code class="hljs language-c++">x</code></pre>', "x", "c++"),
        ('<figure class="highlight cpp"><table><tr><td class="gutter"><pre>1<br>2</pre></td>'
         '<td class="code"><pre>int a;<br>int b;</pre></td></tr></table></figure>', "int a;\nint b;", "cpp"),
        ('<pre><span class="lineno">7</span>a\n<span class="lineno">8</span>b</pre>', "a\nb", ""),
        ("<pre><div><span>1</span><div>a</div></div><div><span>2</span><div>b</div></div></pre>", "a\nb", ""),
        ("<pre>\n\tif x:\n\t\ty&nbsp;= 1\n\n</pre>", "\tif x:\n\t\ty = 1", ""),
        ("<pre>x = 1<button>Copy</button></pre>", "x = 1", ""),
    ],
)  # fmt: skip
def test_code_is_read_as_its_author_wrote_it(html, code, language):
    assert code_of(f"<div>{html}</div>") == [(code, language)]


@given(
    st.lists(
        st.text(alphabet=st.sampled_from("ab_*`<>&#|~\\ \t-123.é🎉'\""), max_size=20).map(lambda line: line.rstrip()),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None)
def test_code_survives_a_platform_body_byte_by_byte(lines):
    code = "\n".join(lines).strip("\n")
    if not code.strip():
        return
    first, last = code.split("\n")[0], code.split("\n")[-1]
    if not first.strip() or not last.strip():
        return
    element = document_fromstring("<div><p>before</p><pre></pre><p>after</p></div>")
    element.find(".//pre").text = code
    markdown = fragment_to_markdown(tostring(element, encoding="unicode"))
    head, tail = markdown.removeprefix("before\n\n"), "\n\nafter"
    fence = head[: len(head) - len(head.lstrip("`"))]
    assert head == f"{fence}\n{code}\n{fence}{tail}"


def test_code_in_a_list_item_is_indented_with_it():
    markdown = fragment_to_markdown("<ol><li><p>Do</p><pre>a\n b</pre></li></ol>")
    assert markdown == "1. Do\n\n   ```\n   a\n    b\n   ```"


def test_plain_text_keeps_words_and_code_and_drops_marks():
    assert (
        plain_text("## A *b*\n\nSee [this](https://x.org/a_(b)) `c`\n\n```sh\n# d\n```") == "A *b*\n\nSee this c\n\n# d"
    )


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=60)
def test_any_text_is_a_page_or_a_clear_error(html):
    try:
        assert extract(html).markdown.strip()
    except CleaningError:
        return
