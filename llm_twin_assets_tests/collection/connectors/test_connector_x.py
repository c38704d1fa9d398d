import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_twin_assets.collection.connector import Found, Listed
from llm_twin_assets.collection.connectors.x import CONNECTOR, XOptions
from llm_twin_assets.collection.platforms.x_archive import Tweet, json_of, moment_of, readable, threads
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, visited

LONG = "This is the beginning of a post that is much longer than a tweet may be, and that was"


def tweet(number: int, text: str, **more: object) -> dict[str, object]:
    return {
        "tweet": {
            "id_str": str(number),
            "id": str(number),
            "created_at": f"Mon Jan 05 08:36:{number % 60:02} +0000 2026",
            "full_text": text,
            "entities": {"hashtags": [], "user_mentions": [], "urls": []},
            **more,
        }
    }


def script(name: str, entries: list[dict[str, object]], part: int = 0) -> str:
    return f"window.YTD.{name}.part{part} = {json.dumps(entries, indent=2)}"


def answer(number: int, to: int, text: str, name: str = "maya") -> dict[str, object]:
    return tweet(number, text, in_reply_to_status_id_str=str(to), in_reply_to_screen_name=name)


def files(*tweets: dict[str, object], notes: tuple[dict[str, object], ...] = ()) -> dict[str, str]:
    return {
        "data/tweets.js": script("tweets", list(tweets)),
        "data/note-tweet.js": script("note_tweet", list(notes)),
        "data/direct-messages.js": "not for us",
        "data/deleted-tweets.js": script("deleted_tweets", [tweet(1, "taken back")]),
        "data/tweets_media/1-x.jpg": "",
        "assets/js/tweets.js": "the viewer's own code",
        "Your archive.html": "<html></html>",
    }


def note(text: str, second: int, **core: object) -> dict[str, object]:
    created = f"2026-01-05T08:36:{second:02}.000Z"
    return {"noteTweet": {"noteTweetId": "9", "createdAt": created, "core": {"text": text, "urls": [], **core}}}


def contents(path: Path, **options: object) -> list[str]:
    return [e.content for e in visited(CONNECTOR, XOptions(export=path, **options)) if isinstance(e, Found)]


def test_an_archive_keeps_the_contract_as_zip_and_as_folder(export) -> None:
    events = assert_connector(
        CONNECTOR, XOptions(export=export(files(tweet(7, "One"), tweet(8, "Two"))), handle="@maya")
    )
    first, second = (event for event in events if isinstance(event, Found))
    assert (first.content, second.content) == ("One", "Two")
    assert first.url == "https://x.com/maya/status/7"
    assert first.stable_id == "https://x.com/i/web/status/7"
    assert first.published_at is not None
    assert first.published_at.isoformat() == "2026-01-05T08:36:07+00:00"
    assert Listed("posts") in events
    assert not quarantined(events)


def test_the_identity_does_not_depend_on_the_handle(archive) -> None:
    path = archive(files(tweet(7, "One")))
    ids = [
        event.stable_id
        for handle in ("maya", None)
        for event in visited(CONNECTOR, XOptions(export=path, handle=handle))
        if isinstance(event, Found)
    ]
    assert ids[0] == ids[1]


def test_retweets_and_bare_pictures_are_not_the_authors_words(archive) -> None:
    picture = {"media": [{"url": "https://t.co/pic", "expanded_url": "https://x.com/maya/status/3/photo/1"}]}
    assert contents(
        archive(
            files(
                tweet(1, "RT @someone: theirs"),
                tweet(2, "https://t.co/pic", entities=picture),
                tweet(3, "With a picture https://t.co/pic", entities=picture),
            )
        )
    ) == ["With a picture"]


def test_links_are_written_out_and_escapes_undone_in_the_text_alone(archive) -> None:
    urls = {"urls": [{"url": "https://t.co/a", "expanded_url": "https://e.example/?a=1&lt;=2&copy=3"}]}
    text = "R&amp;D: x &lt; y &amp;amp; https://t.co/a or https://t.co/unknown"
    assert contents(archive(files(tweet(1, text, entities=urls)))) == [
        "R&D: x < y &amp; https://e.example/?a=1&lt;=2&copy=3 or https://t.co/unknown"
    ]


def test_a_thread_is_one_post_and_an_answer_to_another_is_its_own(archive) -> None:
    path = archive(
        files(
            answer(13, 12, "third"),
            tweet(11, "First"),
            answer(12, 11, "@maya second"),
            answer(14, 999, "@stranger I disagree", name="stranger"),
            answer(15, 14, "and here is why"),
        )
    )
    assert contents(path) == ["First\n\nsecond\n\nthird", "@stranger I disagree\n\nand here is why"]


def test_a_long_post_takes_the_place_of_what_was_cut(archive) -> None:
    whole = f"{LONG} cut just here, see https://t.co/new for R&D and more"
    urls = [{"shortUrl": "https://t.co/new", "expandedUrl": "https://e.example/long"}]
    path = archive(
        files(
            tweet(20, f"{LONG}… https://t.co/old"),
            answer(21, 999, f"@stranger {LONG}…", name="stranger"),
            tweet(50, "A short one at the same second"),
            notes=(note("Another long post of that second, quite another one it is", 20), note(whole, 22, urls=urls)),
        )
    )
    expected = f"{LONG} cut just here, see https://e.example/long for R&D and more"
    assert contents(path) == [expected, f"@stranger {expected}", "A short one at the same second"]


def test_parts_and_the_older_file_name_are_read_too(archive) -> None:
    parts = {
        "data/tweets.js": script("tweets", [tweet(1, "One")]),
        "data/tweets-part1.js": script("tweets", [tweet(2, "Two")], 1),
    }
    assert contents(archive(parts)) == ["One", "Two"]
    bare = [tweet(3, "Before 2020")["tweet"]]
    assert contents(archive({"data/tweet.js": script("tweet", bare)}, "old.zip")) == ["Before 2020"]  # type: ignore[list-item]


def test_a_watch_folder_of_archives_is_a_source(archive, tmp_path) -> None:
    (tmp_path / "inbox").mkdir()
    archive(files(tweet(1, "One")), "inbox/twitter-2026.zip")
    assert_connector(CONNECTOR, XOptions(watch=tmp_path / "inbox"))


def test_a_bad_entry_or_file_is_quarantined_and_nothing_counts_as_missing(archive) -> None:
    path = archive(
        files(tweet(1, "One"), {"tweet": {"id_str": "2"}}, {"tweet": []}) | {"data/tweets-part1.js": "window.YTD = [{"}
    )
    events = visited(CONNECTOR, XOptions(export=path))
    assert [event.content for event in events if isinstance(event, Found)] == ["One"]
    assert [bad.where.rpartition("/")[2] for bad in quarantined(events)] == [
        "tweets-part1.js",
        "tweets.js[1]",
        "tweets.js[2]",
    ]
    assert not any(isinstance(event, Listed) for event in events)


def test_the_file_is_parsed_and_never_run() -> None:
    assert json_of('window.YTD.tweets.part0 = [{"a": 1}];\nalert(1)') == [{"a": 1}]
    with pytest.raises(ValueError, match="substring not found"):
        json_of("window.YTD.tweets.part0 = {}")


def test_another_zip_says_what_is_missing_and_a_source_needs_a_path(archive) -> None:
    with pytest.raises(ExportError, match=r"holds no data/tweets\.js"):
        contents(archive({"data/like.js": "x"}))
    with pytest.raises(ValidationError, match="export"):
        XOptions(handle="maya")


@given(st.text(), st.dictionaries(st.from_regex(r"https://t\.co/\w{1,10}", fullmatch=True), st.text()))
def test_text_without_escapes_and_short_links_stays(text: str, links: dict[str, str]) -> None:
    if "&" not in text and "t.co/" not in text:
        assert readable(text, links) == text.strip()


@given(st.text(alphabet="&<>;altgmp x"))
def test_what_x_escaped_comes_back(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert readable(escaped, {}) == text.strip()


@given(st.dictionaries(st.integers(1, 40), st.none() | st.integers(1, 60), max_size=30))
def test_every_post_is_in_one_thread_and_after_what_it_answers(answers: dict[int, int | None]) -> None:
    tweets = {str(n): Tweet(str(n), "t", None, str(to) if to else None, "maya") for n, to in answers.items()}
    found = threads(tweets)
    assert sorted(each.id for thread in found for each in thread) == sorted(tweets)
    for thread in found:
        assert [int(each.id) for each in thread] == sorted(int(each.id) for each in thread)


@given(st.text())
def test_any_date_is_a_moment_or_none(text: str) -> None:
    assert moment_of(text) is None or moment_of(text)
    with contextlib.suppress(ValueError):
        json_of(text)
