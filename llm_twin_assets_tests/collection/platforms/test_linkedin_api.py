import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.connector import Collectable, Found, Gone, Listed, Notice
from llm_twin_assets.collection.connectors.linkedin import CONNECTOR, LinkedInOptions
from llm_twin_assets.collection.platforms.linkedin_changes import change_of
from llm_twin_assets_tests.collection.contract import NOW, assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.web import Asked, Reply, Web
from resources.errors import ConfigurationError
from resources.http import HttpError

ME = "urn:li:person:maya"
SECRET = "AQX-secret"
CREATED = 1_735_000_000_123
POST = "urn:li:ugcPost:7277000000000000000"
NO_DATA = Reply({"status": 404, "message": "No data found for this domain and memberId."}, 404)
ROW = {
    "ShareLink": "https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A71",
    "ShareCommentary": "A first post",
    "Date": "2024-05-02 08:00:00",
    "SharedUrl": "",
    "MediaUrl": "",
    "Visibility": "MEMBER_NETWORK",
}
COMMENT_ROW = {
    "Link": "https://www.linkedin.com/feed/update/urn%3Ali%3Aactivity%3A80",
    "Message": "A comment",
    "Date": "2024-05-03 09:00:00",
}


def event(**changed: object) -> dict[str, object]:
    return {
        "id": 1,
        "capturedAt": CREATED,
        "processedAt": CREATED + 1000,
        "owner": ME,
        "actor": ME,
        "resourceName": "ugcPosts",
        "resourceId": POST,
        "resourceUri": f"/ugcPosts/{POST}",
        "method": "CREATE",
        "activityStatus": "SUCCESS",
        "activity": {
            "author": ME,
            "id": POST,
            "lifecycleState": "PUBLISHED",
            "specificContent": {"com.linkedin.ugc.ShareContent": {"shareCommentary": {"text": "A new post"}}},
            "visibility": {"com.linkedin.ugc.MemberNetworkVisibility": "PUBLIC"},
        },
        **changed,
    }


def commented(**changed: object) -> dict[str, object]:
    return event(
        resourceName="socialActions/comments",
        resourceId="7277000000000000001",
        resourceUri="/socialActions/urn:li:activity:80/comments/7277000000000000001",
        activity={
            "actor": ME,
            "created": {"actor": ME, "time": CREATED},
            "id": "7277000000000000001",
            "message": {"attributes": [], "text": "Said under another's post"},
            "object": "urn:li:activity:80",
        },
        **changed,
    )


class Linkedin:
    """What LinkedIn's API answers; tests change it between visits."""

    def __init__(self, web: Web) -> None:
        self.snapshots: dict[str, list[object]] = {"MEMBER_SHARE_INFO": [[ROW]], "ALL_COMMENTS": [[COMMENT_ROW]]}
        self.log: list[dict[str, object]] = []
        self.fails_at: int | None = None
        web.serve("/rest/memberSnapshotData", self._snapshot)
        web.serve("/rest/memberChangeLogs", self._changes)

    def _snapshot(self, asked: Asked) -> Reply:
        if (
            asked.headers.get("authorization") != f"Bearer {SECRET}"
            or asked.headers.get("linkedin-version") != "202312"
        ):
            return Reply({"message": "Invalid access token", "status": 401}, 401)
        pages, start = self.snapshots.get(asked.query["domain"], []), int(asked.query["start"])
        if self.fails_at is not None and start >= self.fails_at:
            return Reply("oops", 403)
        if start >= len(pages):
            return NO_DATA
        element = {"snapshotDomain": asked.query["domain"], "snapshotData": pages[start]}
        return Reply({"paging": {"start": start, "count": 10, "links": [], "total": 0}, "elements": [element]})

    def _changes(self, asked: Asked) -> Reply:
        since, start, count = (int(asked.query.get(name, "0")) for name in ("startTime", "start", "count"))
        events = [each for each in self.log if int(str(each["processedAt"])) >= since]
        return Reply(
            {"paging": {"start": start, "count": count, "total": 0}, "elements": events[start : start + count]}
        )


@pytest.fixture
def linkedin(web, monkeypatch) -> Linkedin:
    monkeypatch.setenv("LINKEDIN_TOKEN", SECRET)
    return Linkedin(web)


def options(web: Web, **more: object) -> LinkedInOptions:
    return LinkedInOptions(portability=True, api=web.url, **more)


def contents(events: list[Collectable]) -> list[str]:
    return [each.content for each in events if isinstance(each, Found)]


def listed(events: list[Collectable]) -> list[str]:
    return [each.listing for each in events if isinstance(each, Listed)]


def test_the_first_visit_takes_a_snapshot_and_the_log(web, linkedin) -> None:
    linkedin.snapshots["MEMBER_SHARE_INFO"].append([{**ROW, "ShareLink": f"{ROW['ShareLink']}2"}])
    linkedin.log = [event(), commented()]
    events = assert_connector(CONNECTOR, options(web), web)
    assert contents(events) == [
        "A first post",
        "A first post",
        "A comment",
        "A new post",
        "Said under another's post",
    ]
    assert listed(events) == ["snapshot posts", "snapshot comments"]
    assert not quarantined(events)


def test_the_next_visit_asks_for_what_changed_since_and_takes_no_snapshot(web, linkedin) -> None:
    linkedin.log = [event()]
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    web.requests.clear()
    linkedin.log.append(event(resourceId=f"{POST}1", processedAt=CREATED + 9000))
    second = visited(CONNECTOR, options(web), memory, web, now=NOW.replace(day=9))
    assert contents(second) == ["A new post", "A new post"]
    assert {asked.path for asked in web.requests} == {"/rest/memberChangeLogs"}
    assert web.requests[0].query["startTime"] == str(CREATED + 1000)


def test_a_log_of_many_pages_is_read_to_its_end(web, linkedin) -> None:
    linkedin.log = [event(resourceId=f"urn:li:share:{number}", processedAt=number) for number in range(1, 121)]
    assert len(contents(visited(CONNECTOR, options(web), web=web))) == 122


def test_export_snapshot_and_log_call_a_post_and_a_comment_the_same(web, linkedin, archive) -> None:
    shares = "Date,ShareLink,ShareCommentary\n2024-12-24 00:26:40,https://www.linkedin.com/feed/update/" + POST.replace(
        ":", "%3A"
    )
    comments = f"Date,Link,Message\n2024-12-24 00:26:40,{COMMENT_ROW['Link']},Said under another's post\n"
    path = archive({"Shares.csv": f"{shares},A new post\n", "Comments.csv": comments})
    linkedin.log = [event(), commented()]
    linkedin.snapshots = {}
    events = [e for e in visited(CONNECTOR, options(web, export=path), web=web) if isinstance(e, Found)]
    first, second = events[:2], events[2:]
    assert [(e.stable_id, e.url, e.published_at, e.content) for e in first] == [
        (e.stable_id, e.url, e.published_at, e.content) for e in second
    ]


def test_a_deletion_is_told_twice_though_it_is_logged_once_and_the_snapshot_still_shows_it(web, linkedin) -> None:
    linkedin.log = [
        event(),
        event(resourceId="urn:li:share:71", resourceName="shares", method="DELETE", activity={}),
        event(processedAt=CREATED + 9000, resourceId=POST + "9"),
    ]
    at = NOW.replace(year=2024, month=12, day=25)
    first = visited(CONNECTOR, options(web), web=web, now=at)
    second = visited(CONNECTOR, options(web), remembered(first), web, now=at.replace(day=26))
    for events in (first, second):
        assert Gone("urn:li:share:71") in events
        assert "A first post" not in contents(events)


def test_what_was_written_edited_and_deleted_in_one_go_never_shows(web, linkedin) -> None:
    edit = {
        "patch": {"specificContent": {"$set": {"com.linkedin.ugc.ShareContent": {"shareCommentary": {"text": "x"}}}}}
    }
    linkedin.log = [event(), event(method="PARTIAL_UPDATE", activity=edit), event(method="DELETE", activity={})]
    linkedin.snapshots = {}
    events = visited(CONNECTOR, options(web), web=web, now=NOW.replace(year=2024, month=12, day=25))
    assert contents(events) == []
    assert Gone(POST) in events


def test_an_edit_is_known_by_its_own_words_and_the_first_date() -> None:
    edit = {
        "patch": {"specificContent": {"$set": {"com.linkedin.ugc.ShareContent": {"shareCommentary": {"text": "x"}}}}}
    }
    found = change_of(event(method="PARTIAL_UPDATE", activity=edit, resourceId=f"urn:li:share:{CREATED << 22}"))
    assert isinstance(found, Found)
    assert (found.content, found.published_at.timestamp()) == ("x", CREATED // 1000)


@pytest.mark.parametrize(
    "other",
    [
        {"resourceName": "messages", "activity": {"content": "private"}},
        {"resourceName": "socialActions/likes"},
        {"actor": "urn:li:person:somebody"},
        {"activityStatus": "FAILURE"},
        {"activity": {"author": "urn:li:organization:5", "text": {"text": "We are hiring"}}},
        {"activity": {"author": ME, "lifecycleState": "DRAFT", "commentary": "not yet"}},
        {"activity": {"author": ME, "ugcOrigin": "RESHARE"}},
        {"method": "ACTION"},
    ],
)
def test_what_is_not_the_members_own_word_is_left_alone(other) -> None:
    assert change_of(event(**other)) is None


def test_visibility_chooses_from_the_log_too() -> None:
    assert change_of(event(), frozenset({"CONNECTIONS"})) is None
    assert change_of(event(), frozenset({"PUBLIC"}))


def test_a_snapshot_that_is_not_ready_is_asked_for_again_and_is_no_absence(web, linkedin) -> None:
    rows, linkedin.snapshots = linkedin.snapshots, {}
    first = visited(CONNECTOR, options(web), web=web)
    assert not listed(first)
    linkedin.snapshots = rows
    second = visited(CONNECTOR, options(web), remembered(first), web, now=NOW.replace(day=2))
    assert contents(second) == ["A first post", "A comment"]


def test_a_snapshot_is_taken_again_before_the_log_forgets(web, linkedin) -> None:
    memory = remembered(visited(CONNECTOR, options(web), web=web))
    again = visited(CONNECTOR, options(web), memory, web, now=NOW.replace(day=29))
    assert listed(again) == ["snapshot posts", "snapshot comments"]


def test_an_error_in_the_middle_is_an_error_and_no_end_of_the_list(web, linkedin) -> None:
    linkedin.fails_at = 1
    with pytest.raises(HttpError, match="r_dma_portability_self_serve"):
        visited(CONNECTOR, options(web), web=web)


def test_a_log_that_is_not_there_is_an_error(web, linkedin) -> None:
    web.serve("/rest/memberChangeLogs", Reply("", 404))
    with pytest.raises(HttpError, match="404"):
        visited(CONNECTOR, options(web), web=web)


def test_an_expired_token_says_how_to_get_another_and_never_shows(web, linkedin, monkeypatch) -> None:
    monkeypatch.setenv("LINKEDIN_TOKEN", "expired-secret")
    with pytest.raises(HttpError, match="LINKEDIN_TOKEN") as raised:
        visited(CONNECTOR, options(web), web=web)
    assert "expired-secret" not in str(raised.value)


def test_without_a_token_the_export_is_read_and_the_person_told(web, archive, monkeypatch) -> None:
    monkeypatch.delenv("LINKEDIN_TOKEN", raising=False)
    path = archive({"Comments.csv": "Date,Link,Message\n,https://x.example,hello\n"})
    events = visited(CONNECTOR, options(web, export=path), web=web)
    assert contents(events) == ["hello"]
    assert any(isinstance(each, Notice) for each in events)
    with pytest.raises(ConfigurationError, match="LINKEDIN_TOKEN is not set"):
        visited(CONNECTOR, options(web), web=web)
    assert not web.requests


def test_rows_of_another_shape_are_quarantined_and_hide_nothing(web, linkedin) -> None:
    linkedin.snapshots = {
        "MEMBER_SHARE_INFO": [[ROW, {"Text": "?"}]],
        "ARTICLES": [[{"Title": "T", "Article Content": "<p>Body</p>", "URL": "https://a.example/x"}, {"Title": "T"}]],
    }
    events = visited(CONNECTOR, options(web), web=web)
    assert contents(events) == ["A first post", "<p>Body</p>"]
    assert len(quarantined(events)) == 2
    assert not listed(events)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "resourceName": st.sampled_from(["ugcPosts", "shares", "socialActions/comments"]),
            "method": st.sampled_from(["CREATE", "UPDATE", "PARTIAL_UPDATE", "DELETE"]) | JSON,
            "resourceId": JSON,
            "resourceUri": JSON,
            "capturedAt": JSON,
            "activity": JSON
            | st.dictionaries(st.sampled_from(["id", "message", "object", "$set", "patch", "text"]), JSON),
        },
    )
)
def test_any_event_is_a_change_or_nothing(raw) -> None:
    assert isinstance(change_of(json.loads(json.dumps(raw))), Found | Gone | None)
