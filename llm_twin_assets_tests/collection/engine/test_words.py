import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.engine.words import words_of

MARKDOWN = """---
title: Warp & weft
---
# Warp & weft

A *shed* is **the** gap, see [the book](https://loom.se/book "A book") or [that][1].
![A loom, photographed](loom.jpg)

1. Lift, don't pull.
2. Beat `<reed>` twice

```python
weave(List[str], a < b)
```

More at https://loom.se/x. <kbd>ctrl</kbd><br>end

[1]: https://loom.se/that
"""
HTML = """<head><title>x</title><style>p { color: red }</style></head>
<h1>Warp &amp; weft</h1>
<p>A <em>shed</em> is <strong>the</strong> gap, see
<a href="https://loom.se/book" title="A book">the
book</a> or <a>that</a>.
<img src="loom.jpg" alt="A loom, photographed"></p><script>track("you")</script>
<ol><li>Lift, don’t pull.</li><li>Beat <code>&lt;reed&gt;</code> twice</li></ol>
<pre><code class="language-python">weave(List[str], a &lt; b)</code></pre>
<p>More at <a href="https://loom.se/x">https://loom.se/x</a>. <kbd>ctrl</kbd><br>end</p>
"""
WORDS = "warp weft a shed is the gap see the book or that lift don t pull beat reed twice " + (
    "weave list str a b more at ctrl end"
)


def test_markdown_and_html_of_one_piece_have_the_same_words() -> None:
    assert words_of(MARKDOWN, "text/markdown") == words_of(HTML, "text/html; charset=utf-8") == WORDS.split()


def test_plain_text_is_its_words_without_links() -> None:
    assert words_of("ＷARP_weft — see https://t.co/abc?x=1 #weaving", "text/plain") == [
        "warp",
        "weft",
        "see",
        "weaving",
    ]


def test_an_inline_tag_parts_no_word_and_a_block_does() -> None:
    assert words_of("<b>w</b>ord<p>one</p><p>two</p>", "text/html") == ["word", "one", "two"]


def test_of_code_every_sign_counts() -> None:
    assert words_of("a = b + c", "text/x-python") != words_of("a = b - c", "text/x-python")


def test_a_fence_ends_where_its_own_sign_comes_again() -> None:
    markdown = "~~~text\n```python\n<a>\n~~~\nafter <b>it</b>"
    assert words_of(markdown, "text/markdown") == ["python", "a", "after", "it"]


@given(st.text(), st.sampled_from(["text/html", "text/markdown", "text/plain", "text/x-python"]))
def test_any_text_has_words(text: str, media_type: str) -> None:
    assert all(words_of(text, media_type))


HOSTILE = ["<", "<script>", "![", "](", "[a](", "`", "```\n", "&", "1. ", "---\n", "http://", "<a "]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("media_type", ["text/html", "text/markdown"])
def test_hostile_repetition_costs_time_linear_in_its_length(unit: str, media_type: str) -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        words_of((unit * size)[:size], media_type)
        return time.process_time() - start

    seconds(1_000)
    assert seconds(160_000) < 48 * seconds(10_000) + 0.3
