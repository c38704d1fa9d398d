from datetime import datetime

import pytest

from llm_twin_assets.collection.connector import Found, Notice
from llm_twin_assets.collection.connectors.github import CONNECTOR, GithubOptions
from llm_twin_assets.collection.platforms import github_discussions
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Reply
from resources.http import UnavailableError

MAYA, ADA = {"login": "Maya"}, {"login": "ada"}


class Tracker:
    """Issues and pull requests of GitHub's form, found by a search that knows the qualifiers that are used."""

    def __init__(self, web) -> None:
        self.web = web
        self.threads: list[dict[str, object]] = []
        self.comments: dict[str, list[dict[str, object]]] = {}
        self.incomplete = False
        web.serve("/users/maya/repos", [])
        web.serve("/users/maya/gists", [])
        web.serve("/search/issues", self.search)

    def open(self, number, user, body, updated, *, pull=False) -> None:
        place = f"/repos/ada/engine/issues/{number}/comments"
        kind = "pull" if pull else "issues"
        self.threads.append(
            {
                "html_url": f"https://github.com/ada/engine/{kind}/{number}",
                "comments_url": f"{self.web.url}{place}",
                "number": number,
                "title": f"Thread {number}",
                "body": body,
                "user": user,
                "created_at": "2024-01-01T00:00:00Z",
                "updated_at": updated,
            }
            | ({"pull_request": {"url": "x"}} if pull else {})
        )
        self._list(place)
        self._list(place.replace("/issues/", "/pulls/"))

    def _list(self, place) -> None:
        self.comments.setdefault(place, [])
        self.web.serve(
            place,
            lambda asked: Reply(
                [each for each in self.comments[place] if each["updated_at"] >= asked.query.get("since", "")]
            ),
        )

    def say(self, number, user, body, updated, *, review=False) -> None:
        place = f"/repos/ada/engine/{'pulls' if review else 'issues'}/{number}/comments"
        identity = sum(map(len, self.comments.values())) + 1
        self.comments[place].append(
            {
                "html_url": f"https://github.com/ada/engine/issues/{number}#issuecomment-{identity}",
                "body": body,
                "user": user,
                "created_at": updated,
                "updated_at": updated,
            }
        )
        self.thread(number)["updated_at"] = updated

    def thread(self, number):
        return next(each for each in self.threads if each["number"] == number)

    def _speakers(self, number):
        places = [f"/repos/ada/engine/{kind}/{number}/comments" for kind in ("issues", "pulls")]
        return {each["user"]["login"].lower() for place in places for each in self.comments[place]}

    def search(self, asked) -> Reply:
        terms = dict(term.split(":", 1) for term in asked.query["q"].split() if not term.startswith("is:"))
        pull = "is:pull-request" in asked.query["q"]
        assert pull or "is:issue" in asked.query["q"]
        since = terms.get("updated", "").removeprefix(">=")
        found = [
            each
            for each in sorted(self.threads, key=lambda each: each["updated_at"])
            if ("pull_request" in each) is pull
            and each["updated_at"] >= since
            and terms.get("author", each["user"]["login"].lower()) == each["user"]["login"].lower()
            and ("commenter" not in terms or terms["commenter"] in self._speakers(each["number"]))
        ]
        page = found[: int(asked.query["per_page"])]
        return Reply({"total_count": len(found), "incomplete_results": self.incomplete, "items": page})


@pytest.fixture
def tracker(web, monkeypatch):
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    tracker = Tracker(web)
    tracker.open(1, MAYA, "I found a bug.\n\n> quoted\n", "2024-01-01T00:00:00Z")
    tracker.open(2, ADA, "Not Maya's.", "2024-01-02T00:00:00Z", pull=True)
    tracker.open(3, MAYA, None, "2024-01-03T00:00:00Z")
    tracker.say(1, ADA, "Thanks!", "2024-02-01T00:00:00Z")
    tracker.say(1, MAYA, "You are welcome.", "2024-02-02T00:00:00Z")
    tracker.say(2, MAYA, "Looks right.", "2024-02-03T00:00:00Z")
    tracker.say(2, MAYA, "Not this line.", "2024-02-04T00:00:00Z", review=True)
    return tracker


@pytest.fixture
def collect(web):
    options = GithubOptions(handle="maya", api=web.url, discussions=True)
    return lambda memory=None: visited(CONNECTOR, options, memory, web)


def texts(events):
    return [event.content for event in events if isinstance(event, Found)]


def test_what_a_person_wrote_in_issues_and_reviews_is_posts(web, tracker) -> None:
    events = assert_connector(CONNECTOR, GithubOptions(handle="maya", api=web.url, discussions=True), web)
    assert sorted(texts(events)) == [
        "I found a bug.\n\n> quoted\n",
        "Looks right.",
        "Not this line.",
        "You are welcome.",
    ]
    posts = {event.stable_id: event for event in events if isinstance(event, Found)}
    opened = posts["https://github.com/ada/engine/issues/1"]
    assert (opened.category, opened.title, opened.media_type) == (Category.POST, "Thread 1", "text/markdown")
    assert opened.published_at == datetime.fromisoformat("2024-01-01T00:00:00Z")
    assert "https://github.com/ada/engine/issues/1#issuecomment-2" in posts


def test_a_later_visit_asks_only_for_what_changed(web, tracker, collect) -> None:
    memory = remembered(collect())
    tracker.say(1, MAYA, "One more thing.", "2024-03-01T00:00:00Z")
    asked = len(web.requests)
    assert "One more thing." in texts(second := collect(memory))
    assert "You are welcome." in texts(second) or "Looks right." not in texts(second)
    since = [each.query.get("since") for each in web.requests[asked:] if each.path.endswith("/comments")]
    assert None not in since


def test_a_walk_that_was_cut_off_goes_on_and_misses_no_earlier_comment(web, tracker, collect) -> None:
    tracker.open(4, ADA, "x", "2024-04-01T00:00:00Z")
    tracker.say(4, MAYA, "Said before the cut.", "2024-01-05T00:00:00Z")
    tracker.say(4, ADA, "A later word.", "2024-05-01T00:00:00Z")
    place = "/repos/ada/engine/issues/4/comments"
    page = web.pages[place]
    web.serve(place, Reply("no", 500))
    with pytest.raises(UnavailableError):
        collect()
    web.pages[place] = page
    # What the engine had stored of the walk: issue 1 was read, issue 4 was not.
    memory = {"search is:issue is:public commenter:maya": {"reached": "2024-02-02T00:00:00Z", "complete": None}}
    assert "Said before the cut." in texts(collect(memory))


def test_more_than_a_thousand_results_are_walked_in_stretches(web, tracker, collect, monkeypatch) -> None:
    monkeypatch.setattr(github_discussions, "_MOST", 100)
    for number in range(10, 260):
        tracker.open(number, MAYA, f"Text {number}", f"2024-06-01T00:{number // 60:02}:{number % 60:02}Z")
    assert {f"Text {number}" for number in range(10, 260)} <= set(texts(collect()))


def test_a_thousand_results_of_one_second_are_no_endless_walk(web, tracker, collect, monkeypatch) -> None:
    monkeypatch.setattr(github_discussions, "_MOST", 100)
    for number in range(10, 160):
        tracker.open(number, MAYA, f"Text {number}", "2024-06-01T00:00:00Z")
    assert len(texts(collect())) >= 100


def test_a_search_that_was_cut_short_is_named_and_not_taken_for_whole(web, tracker, collect) -> None:
    tracker.incomplete = True
    events = collect()
    assert any(isinstance(event, Notice) and "cut the search" in event.what for event in events)
    assert not any(key.startswith("search ") for key in remembered(events))


def test_comments_at_another_host_are_not_asked_for(web, tracker, collect) -> None:
    tracker.thread(1)["comments_url"] = "http://localhost:9/comments"
    (said,) = quarantined(collect())
    assert "comments at another host" in said.reason


def test_discussions_are_read_only_where_they_are_asked_for(web, tracker) -> None:
    visited(CONNECTOR, GithubOptions(handle="maya", api=web.url), None, web)
    assert not web.asked_for("/search/issues")
