import json

import pytest

from llm_twin_assets.collection.connector import Found, Listed, Remember, Seen
from llm_twin_assets.collection.connectors.github import CONNECTOR, GithubOptions
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Reply
from resources.http import UnavailableError

LIST = "/users/maya/gists"


@pytest.fixture
def gists(web, monkeypatch):
    """Serve gists of GitHub's form; each is a mapping of file names to contents."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    web.serve("/users/maya/repos", [])

    def serve(files, identity="aa5a315d61ae9438b18d", description="On weaving", **more):
        listed = {}
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            raw = web.serve(f"/raw/{identity}/{abs(hash(content))}/{name}", Reply(data, media_type="text/plain"))
            listed[name] = {"filename": name, "raw_url": raw, "size": len(data), "type": "text/plain"} | more
        return {
            "id": identity,
            "html_url": f"https://gist.github.com/maya/{identity}",
            "description": description,
            "created_at": "2020-02-03T04:05:06Z",
            "updated_at": "2021-02-03T04:05:06Z",
            "public": True,
            "files": listed,
        }

    return serve


@pytest.fixture
def collect(web):
    return lambda memory=None: visited(CONNECTOR, GithubOptions(handle="maya", api=web.url), memory, web)


def found(events):
    return {event.stable_id.partition("#")[2]: event for event in events if isinstance(event, Found)}


def test_gists_are_articles_posts_and_code(web, gists) -> None:
    notebook = json.dumps({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# Warp\n\nText"}]})
    web.serve(
        LIST,
        [
            gists({"loom.md": "# A loom\n\nWords.\n", "warp.ipynb": notebook}),
            gists({"note.md": "Only a remark.\n", "gistfile1.txt": "Plain.\n", "todo": "More.\n"}, "bb"),
            gists({"f.py": "def f():\n\treturn 1 \r\n", "data.json": "{}", "LICENSE": "MIT", "x.min.js": "x"}, "cc"),
        ],
    )
    events = assert_connector(CONNECTOR, GithubOptions(handle="maya", api=web.url), web)
    documents = found(events)
    assert {name: (each.category, each.title) for name, each in documents.items()} == {
        "loom.md": (Category.ARTICLE, "A loom"),
        "warp.ipynb": (Category.ARTICLE, "Warp"),
        "note.md": (Category.POST, "On weaving"),
        "gistfile1.txt": (Category.POST, "On weaving"),
        "todo": (Category.POST, "On weaving"),
        "f.py": (Category.CODE, "On weaving"),
    }
    assert documents["f.py"].content == "def f():\n\treturn 1 \r\n"
    assert documents["f.py"].url == "https://gist.github.com/maya/cc"
    assert str(documents["f.py"].published_at) == "2020-02-03 04:05:06+00:00"
    assert Listed("gists") in events


def test_only_a_file_that_changed_is_fetched(web, gists, collect) -> None:
    one, two = gists({"a.py": "a = 1\n"}), gists({"b.py": "b = 1\n"}, "bb")
    web.serve(LIST, [one, two])
    memory = remembered(collect())
    asked = len(web.requests)
    assert Listed("gists", again=True) in collect(memory)
    assert [each.path for each in web.requests[asked:]] == ["/users/maya/repos", LIST]
    web.serve(LIST, [gists({"a.py": "a = 2\n"}), two])
    second = collect(memory)
    assert found(second)["a.py"].content == "a = 2\n"
    assert [each for each in second if isinstance(each, Seen)] == [
        Seen("https://gist.github.com/maya/bb#b.py", "gists")
    ]


def test_a_gist_that_is_gone_is_missing_and_forgotten(web, gists, collect) -> None:
    one, two = gists({"a.py": "a = 1\n"}), gists({"b.py": "b = 1\n"}, "bb")
    web.serve(LIST, [one, two])
    memory = remembered(collect())
    web.serve(LIST, [two])
    events = collect(memory)
    assert Listed("gists") in events
    assert Remember("gist:https://gist.github.com/maya/aa5a315d61ae9438b18d#a.py", None) in events


def test_a_file_that_cannot_be_had_is_told_still_there_and_tried_again(web, gists, collect) -> None:
    gist = gists({"a.py": "a = 1\n", "b.py": "b = 1\n", "c.py": b"# caf\xe9\n"})
    web.serve(LIST, [gist])
    raw = gist["files"]["a.py"]["raw_url"].removeprefix(web.url)
    page = web.pages.pop(raw)
    first = collect()
    assert set(found(first)) == {"b.py"}
    assert len(quarantined(first)) == 2
    assert Seen("https://gist.github.com/maya/aa5a315d61ae9438b18d#a.py", "gists") in first
    assert Listed("gists") in first
    web.pages[raw] = page
    assert set(found(collect(remembered(first)))) == {"a.py"}


def test_contents_come_from_the_api_or_github_and_take_no_token(web, gists, collect, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    evil = gists({"b.py": "b = 1\n"}, "bb", raw_url="https://example.com/b.py")
    web.serve(LIST, [gists({"a.py": "a = 1\n"}), evil])
    events = collect()
    assert set(found(events)) == {"a.py"}
    assert [(item.where, "neither the API's nor" in item.reason) for item in quarantined(events)] == [
        ("https://example.com/b.py", True)
    ]
    assert [each.path for each in web.requests if "authorization" not in each.headers] == [
        each.path for each in web.requests if each.path.startswith("/raw/")
    ]


def test_a_large_file_is_left_out(web, gists, collect) -> None:
    web.serve(LIST, [gists({"a.py": "a = 1\n" * 100_000})])
    assert not found(collect())


def test_gists_that_fail_stop_nothing_and_are_no_absence(web, gists, collect) -> None:
    web.serve(LIST, {"message": "Not what it should be"})
    events = collect()
    assert len(quarantined(events)) == 1
    assert Listed("gists") not in events


def test_a_server_that_asks_to_be_left_alone_is(web, gists, collect) -> None:
    web.serve(LIST, Reply("slow down", 429, {"Retry-After": "100000"}))
    with pytest.raises(UnavailableError):
        collect()


def test_gists_may_be_left_out(web, gists) -> None:
    visited(CONNECTOR, GithubOptions(handle="maya", api=web.url, gists=False), None, web)
    assert not web.asked_for(LIST)
