"""Whatever comes in is cleaned or quarantined, in bounded time: never a crash, never a word of it made up."""

import time

import pytest

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.incremental import clean_changed

MEDIA_TYPES = {
    Category.ARTICLE: ("text/markdown", "text/plain", "text/html"),
    Category.POST: ("text/plain", "text/html", "text/markdown"),
    Category.CODE: ("text/x-python",),
}
PLACES = [(category, media) for category, several in MEDIA_TYPES.items() for media in several]
HEBREW = "המנוע האנליטי אורג דפוסים אלגבריים. " * 5
ARABIC = "المحرك التحليلي ينسج أنماطا جبرية. " * 5
BINARY = bytes(range(256)).decode("latin-1") * 8


@pytest.mark.parametrize(("category", "media"), PLACES)
@pytest.mark.parametrize(
    "content",
    ["", "\ufeff", " \n\t\u200b", "x", "。", "🎉",
     "🎉👩‍👩‍👧 ❤️\n\n🚀", HEBREW, ARABIC, f"\u202e{ARABIC}\u202c", BINARY, "\x00" * 500,
     "```\n" + "x = 1\n" * 500 + "```", "<" * 3000, "#" * 3000, "[" * 3000, "---\n" * 500, "a" * 20_000],
    ids=["empty", "mark", "blanks", "letter", "stop", "emoji", "emojis", "hebrew", "arabic", "override", "binary",
         "nul", "all code", "tags", "signs", "brackets", "rules", "one word"],
)  # fmt: skip
def test_anything_is_cleaned_or_quarantined(make_raw, category, media, content):
    raw = make_raw(content, category=category, media_type=media, path="a.py", platform="github")
    done = clean_changed([raw], [])
    assert len(done.documents) + len(done.quarantined) == 1
    assert all(each.reason for each in done.quarantined)
    for each in done.documents:
        assert each.text.strip()
        assert each.title.strip()
    assert clean_changed([raw], done.documents).documents == done.documents


def test_right_to_left_text_and_emoji_are_kept_as_they_are(make_raw):
    for text in (HEBREW.strip(), ARABIC.strip(), "🎉👩‍👩‍👧 ❤️\n\n🚀"):
        [document] = clean_changed([make_raw(text, category=Category.POST, media_type="text/plain")], []).documents
        assert document.text == text


@pytest.mark.slow
@pytest.mark.parametrize(("category", "media"), [(Category.ARTICLE, "text/markdown"), (Category.CODE, "text/x-python")])
def test_fifty_megabytes_are_cleaned_in_seconds(make_raw, category, media):
    line = "The engine weaves algebraic patterns, just as the loom weaves flowers and leaves.\n"
    raw = make_raw(line * (50 * 2**20 // len(line)), category=category, media_type=media, title="T", path="a.py")
    started = time.process_time()
    [document] = clean_changed([raw], []).documents
    assert time.process_time() - started < 20
    assert "repetitive" in document.flags
    assert len(document.text) >= len(raw.content) - 1
