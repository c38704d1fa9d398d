"""Code is read from whatever markup shows it, character by character, and nothing of the page's comes with it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring, tostring

from llm_twin_assets.features.code_blocks import find_code
from llm_twin_assets.features.code_fences import CodeBlock
from llm_twin_assets.features.extract import extract
from llm_twin_assets.features.markdown import fragment_to_markdown

PROSE = "The engine weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves, we may say. "

# What a page's markup is, the code it shows, and the language it states.
SHAPES = {
    "a line break for each line": ("<pre>a<br>  b<br/></pre>", "a\n  b", ""),
    "GitHub's Markdown": ('<div class="highlight highlight-source-shell"><pre>x</pre></div>', "x", "shell"),
    "WordPress's SyntaxHighlighter, not run": ('<pre class="brush: js; gutter: true">x</pre>', "x", "js"),
    "highlight.js": ('<pre><code class="hljs language-c++">x</code></pre>', "x", "c++"),
    "rustdoc": ('<div class="example-wrap"><pre class="rust rust-example-rendered"><code>let a;</code></pre></div>',
                "let a;", "rust"),
    "Sphinx": ('<div class="highlight-python3 notranslate"><div class="highlight"><pre><span></span>a\n b\n</pre></div>'
               "</div>", "a\n b", "python3"),
    "Sphinx with numbers in a table": (
        '<table class="highlighttable"><tr><td class="linenos"><div class="linenodiv"><pre><span>1</span>\n'
        '<span>2</span></pre></div></td><td class="code"><div class="highlight"><pre>a\n b\n</pre></div></td></tr>'
        "</table>",
        "a\n b", ""),
    "Hexo": ('<figure class="highlight cpp"><table><tr><td class="gutter"><pre>1<br>2</pre></td>'
             '<td class="code"><pre>int a;<br>int b;</pre></td></tr></table></figure>', "int a;\nint b;", "cpp"),
    "Rouge": ('<div class="language-ruby highlighter-rouge"><pre class="highlight"><code><table class="rouge-table">'
              '<tr><td class="rouge-gutter gl"><pre class="lineno">1\n2\n3\n</pre></td><td class="rouge-code"><pre>'
              "def a\n  1\nend\n</pre></td></tr></table></code></pre></div>", "def a\n  1\nend", "ruby"),
    "Chroma with a number in each line": (
        '<pre class="chroma"><code class="language-go"><span class="line"><span class="ln"> 9</span><span class="cl">a'
        '\n</span></span><span class="line"><span class="ln">10</span><span class="cl">  b\n</span></span></code>'
        "</pre>",
        "a\n  b", "go"),
    "Pygments with a number in each line": (
        '<pre><span class="lineno">7</span>a\n<span class="lineno">8</span>b</pre>', "a\nb", ""),
    "a source file of rustdoc": (
        '<pre class="rust"><code><a href=#1 id=1 data-nosnippet>1</a>//! x\n<a href=#2 id=2 data-nosnippet>2</a>    fn'
        "\n</code></pre>", "//! x\n    fn", "rust"),
    "rows of a number and a line": (
        "<pre><div><span>1</span><div>a</div></div><div><span>2</span><div>b</div></div></pre>", "a\nb", ""),
    "highlight.js with line numbers": (
        '<pre><code class="hljs python"><table class="hljs-ln"><tbody><tr><td class="hljs-ln-numbers"><div '
        'data-line-number="1"></div></td><td class="hljs-ln-code">x = 1</td></tr><tr><td class="hljs-ln-numbers"></td>'
        '<td class="hljs-ln-code">  y = 2</td></tr></tbody></table></code></pre>', "x = 1\n  y = 2", "python"),
    "google-prettify": ('<pre class="prettyprint linenums lang-js"><ol class="linenums"><li><span>a</span></li><li>'
                        "<span>  b</span></li></ol></pre>", "a\n  b", "js"),
    "Docusaurus": (
        '<div class="language-bash codeBlockContainer"><div class="codeBlockTitle">run.sh</div><pre class="prism-code '
        'language-bash"><code><span class="token-line" style="color:#fff"><span class="token">npm i</span><br></span>'
        '<span class="token-line"><span>  x</span><br></span></code></pre><div class="buttons"><button>Copy'
        "</button></div></div>", "npm i\n  x", "bash"),
    "lines that a style sheet breaks": (
        '<pre class="shiki"><code><span class="line">a</span><span class="line">b</span></code></pre>', "a\nb", ""),
    "a line in each code": ("<pre><code>a</code><code>b</code></pre>", "a\nb", ""),
    "code around pre": ('<code class="language-ts">\n\t<pre><code>a\n  b</code></pre>\n</code>', "a\n  b", "ts"),
    "AsciiDoc's callouts": (
        '<div class="listingblock"><pre class="highlight"><code class="language-rb" data-lang="rb">a = 1 <i '
        'class="conum" data-value="1"></i><b>(1)</b>\nb</code></pre></div>', "a = 1 \nb", "rb"),
    "types that twoslash shows": (
        '<pre class="shiki twoslash"><code>let <span class="twoslash-hover"><span class="twoslash-popup-container">'
        "<code>let a: number</code></span>a</span> = 1\nb</code></pre>", "let a = 1\nb", ""),
    "no-break spaces": ("<pre>\n\tif x:\n\t\ty&nbsp;= 1\n\n</pre>", "\tif x:\n\t\ty = 1", ""),
    "a button in it": ("<pre>x = 1<button>Copy</button></pre>", "x = 1", ""),
    "numbers that are the code's own": ("<pre>a = [<span>1</span>, <span>2</span>, <span>3</span>]</pre>",
                                        "a = [1, 2, 3]", ""),
    "numbers alone": ("<pre><span>1</span>\n<span>2</span></pre>", "1\n2", ""),
    "a drawing": ("<pre><span>1</span>│ a\n<span>2</span>│ b</pre>", "│ a\n│ b", ""),
    "a file on GitHub": (
        '<table class="highlight js-file-line-container"><tr><td class="blob-num" data-line-number="1"></td><td '
        'class="blob-code js-file-line"><span>def</span> f():</td></tr><tr><td class="blob-num"></td><td '
        'class="blob-code">\n</td></tr><tr><td class="blob-num"></td><td class="blob-code">    pass</td></tr></table>',
        "def f():\n\n    pass", ""),
    "the raw text beside a file on GitHub": (
        '<textarea id="read-only-cursor-text-area">def f():\n    pass\n</textarea>', "def f():\n    pass", ""),
    "SyntaxHighlighter": (
        '<div class="syntaxhighlighter  java"><div class="toolbar"><a>?</a></div><table><tr><td class="gutter"><div '
        'class="line number1">1</div><div class="line number2">2</div></td><td class="code"><div class="container">'
        '<div class="line number1"><code class="java keyword">int</code> <code class="java plain">a;</code></div>'
        '<div class="line number2"><code class="java spaces">&nbsp;&nbsp;</code><code class="java plain">b;</code>'
        "</div></div></td></tr></table></div>", "int a;\n  b;", "java"),
    "Crayon": (
        '<div class="crayon-syntax"><div class="crayon-toolbar">Copy</div><div class="crayon-plain-wrap"><textarea '
        'class="crayon-plain">a\n  b\n</textarea></div><table><tr><td class="crayon-nums">1</td><td>…</td></tr></table>'
        "</div>", "a\n  b", ""),
    "CodeMirror 5": (
        '<div class="CodeMirror"><div class="CodeMirror-code"><div><div class="CodeMirror-gutter-wrapper"><div '
        'class="CodeMirror-linenumber">1</div></div><pre class="CodeMirror-line"><span>a = 1</span></pre></div><div>'
        '<pre class="CodeMirror-line"><span>\u200b</span></pre></div><div><pre class="CodeMirror-line"><span>  b</span>'
        "</pre></div></div></div>", "a = 1\n\n  b", ""),
    "CodeMirror 6": ('<div class="cm-content"><div class="cm-line">a</div><div class="cm-line">  b</div></div>',
                     "a\n  b", ""),
    "Monaco": ('<div class="view-lines"><div class="view-line"><span>a&nbsp;=</span></div><div class="view-line"><span>'
               "&nbsp;&nbsp;b</span></div></div>", "a =\n  b", ""),
    "W3Schools": ('<div class="w3-code notranslate htmlHigh">&lt;p&gt;<br>&nbsp;&nbsp;a</div>', "<p>\n  a", ""),
    "Writerside": ('<div class="code-block" data-lang="http">GET x\n\n&gt; {%\n   c</div>',
                   "GET x\n\n> {%\n   c", "http"),
    "what an editor copies": ('<div style="font-family: Consolas, monospace; white-space: pre;"><div><span>line</span>'
                              "</div><div>  two</div></div>", "line\n  two", ""),
    "code with line breaks": ("<code>a = 1<br>&nbsp; b</code>", "a = 1\n  b", ""),
    "code shown as a block": ('<code class="hl lean block">\n    def h1 : Nat\n    end\n  </code>',
                              "def h1 : Nat\nend", "lean"),
    "output": ("<samp>$ ls<br>a<br>b</samp>", "$ ls\na\nb", ""),
}  # fmt: skip


def code_of(html):
    return [(block.code, block.language) for _, block in find_code(document_fromstring(html), html)]


@pytest.mark.parametrize(("html", "code", "language"), SHAPES.values(), ids=SHAPES)
def test_code_is_read_as_its_author_wrote_it(html, code, language):
    assert code_of(f"<div><p>One.</p>{html}<p>Two.</p></div>") == [(code, language)]


@pytest.mark.parametrize(("html", "code", "language"), SHAPES.values(), ids=SHAPES)
def test_a_page_keeps_its_code_where_it_stood(html, code, language):
    page = f"""<html><head><title>Looms</title></head><body><nav><a href="/">Home</a></nav><article>
    <p>{PROSE * 3}</p><p>First words.</p>{html}<p>Second words.</p><p>{PROSE * 3}</p></article></body></html>"""
    markdown = extract(page).markdown
    assert CodeBlock(code, language).fence() in markdown
    before, after = markdown.split(CodeBlock(code, language).fence())
    assert before.rstrip().endswith(("First words.", "`run.sh`"))
    assert after.lstrip().startswith("Second words.")


@pytest.mark.parametrize(
    "html",
    [
        "<p>use <code>a\nb</code> now <code class='language-text'>x</code></p>",
        '<p><span class="Apple-tab-span" style="white-space:pre">\t</span>word</p>',
        "<textarea>Write\na comment</textarea>",
        '<div class="code-block"><p>Not code</p><p>at all</p></div>',
        "<table><tr><td><code>a</code><br><code>b</code></td><td>words</td></tr></table>",
        "<pre> \n </pre>",
    ],
)
def test_words_are_no_block_of_code(html):
    assert code_of(f"<div><p>One.</p>{html}</div>") == []


def test_the_fence_is_longer_than_any_in_the_code():
    assert CodeBlock("````md\nx\n````", "").fence() == "`````\n````md\nx\n````\n`````"


def test_code_in_a_list_item_of_a_platforms_body_is_indented_with_it():
    markdown = fragment_to_markdown("<ol><li><p>Do</p><pre>a\n b</pre></li></ol>")
    assert markdown == "1. Do\n\n   ```\n   a\n    b\n   ```"


LINES = st.lists(
    st.text(alphabet=st.sampled_from("ab_*`<>&#|~\\ \t-123.é🎉'\""), max_size=20).map(str.rstrip),
    min_size=1,
    max_size=8,
).map(lambda lines: "\n".join(lines).strip("\n"))


def around(code):
    """A document with the code between two paragraphs."""
    element = document_fromstring(
        f"<div><p>{PROSE * 4}</p><p>before</p><pre></pre><p>after</p><p>{PROSE * 4}</p></div>"
    )
    element.find(".//pre").text = code
    return tostring(element, encoding="unicode")


@given(LINES.filter(lambda code: code.strip() and code.split("\n")[0].strip() and code.split("\n")[-1].strip()))
@settings(deadline=None, max_examples=60)
def test_code_survives_byte_by_byte(code):
    fence = CodeBlock(code, "").fence()
    assert f"before\n\n{fence}\n\nafter" in fragment_to_markdown(around(code))
    assert (
        f"before\n\n{fence}\n\nafter"
        in extract(f"<html><body><article>{around(code)}</article></body></html>").markdown
    )
