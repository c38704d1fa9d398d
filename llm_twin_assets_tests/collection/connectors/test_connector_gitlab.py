from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from llm_twin_assets.collection.connector import Found, Listed
from llm_twin_assets.collection.connectors.gitlab import CONNECTOR, GitlabOptions
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets_tests.collection.contract import NOW, assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.git_web import git_web
from llm_twin_assets_tests.collection.web import Reply
from resources.http import HttpError

LIST = "/api/v4/users/7/projects"


@pytest.fixture
def server(web, tmp_path, monkeypatch):
    monkeypatch.delenv("GITLAB_TOKEN", raising=False)
    with git_web(tmp_path / "served") as served:
        web.neighbours = (served.host,)
        yield served


@pytest.fixture
def projects(web, server, folder, git):
    """Two projects of GitLab's form: one on each page, as keyset paging gives them."""
    listed = []
    for number, (name, files) in enumerate(
        {"loom": {"a.py": "a = 1\n"}, "group/warp": {"w.go": "package w\n"}}.items()
    ):
        root = folder(files, f"work{number}")
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", "x", "--author", "M <7-maya@users.noreply.gitlab.com>")
        full_name = f"maya/{name}"
        listed.append(
            {
                "id": number,
                "path_with_namespace": full_name,
                "web_url": f"https://gitlab.com/{full_name}",
                "http_url_to_repo": server.publish(root, full_name),
                "last_activity_at": "2025-06-01T10:00:00.000Z",
                "default_branch": "main",
                "visibility": "public",
                "archived": False,
            }
        )

    def page(asked) -> Reply:
        assert asked.query["pagination"] == "keyset"
        number = int(asked.query.get("id_before", "0"))
        link = f'<{web.url}{LIST}?pagination=keyset&id_before={number + 1}>; rel="next"'
        return Reply(listed[number : number + 1], headers={"Link": link} if number + 1 < len(listed) else {})

    web.serve("/api/v4/users", lambda asked: Reply([{"id": 7, "username": "Maya"}] if asked.query["username"] else []))
    web.serve(LIST, page)
    return listed


@pytest.fixture
def collect(web):
    def run(memory=None, now=NOW, **options):
        return visited(
            CONNECTOR, GitlabOptions(handle="maya", api=f"{web.url}/api/v4", **options), memory, web, now=now
        )

    return run


def paths(events):
    return {f"{each.repository}:{each.path}" for each in events if isinstance(each, Found)}


def test_every_project_of_every_page_is_read(web, projects) -> None:
    events = assert_connector(CONNECTOR, GitlabOptions(handle="@maya", api=f"{web.url}/api/v4"), web)
    assert paths(events) == {"maya/loom:a.py", "maya/group/warp:w.go"}
    code = next(each for each in events if isinstance(each, Found) and each.path == "w.go")
    assert code.stable_id == "https://gitlab.com/maya/group/warp#w.go"
    assert code.url == "https://gitlab.com/maya/group/warp/-/blob/main/w.go"


def test_an_unchanged_project_is_not_asked_for_again(server, projects, collect) -> None:
    memory = remembered(collect())
    server.requests.clear()
    assert {(each.listing, each.again) for each in collect(memory) if isinstance(each, Listed)} == {
        ("tree:maya/loom", True),
        ("tree:maya/group/warp", True),
    }
    assert server.requests == []


def test_a_project_that_was_active_within_the_hour_is_asked_for_its_head(server, projects, collect) -> None:
    soon = datetime(2025, 6, 1, 10, tzinfo=UTC) + timedelta(minutes=30)
    memory = remembered(collect(now=soon))
    server.requests.clear()
    assert paths(collect(memory, now=soon + timedelta(minutes=10))) == set()
    assert server.clones("maya/loom") == 1


def test_a_token_goes_in_gitlabs_own_header_and_to_private_projects(
    server, web, projects, collect, monkeypatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", "glpat-x")
    projects[0]["visibility"] = "private"
    server.requests.clear()
    events = collect()
    assert {each.headers.get("private-token") for each in web.requests} == {"glpat-x"}
    assert {path.split("/")[2]: bool(header) for _, path, header in server.requests} == {
        "loom.git": True,
        "group": False,
    }
    assert "glpat-x" not in str(events)


def test_a_project_that_is_gone_or_left_out_is_missing(web, projects, collect) -> None:
    memory = remembered(collect())
    projects.pop()
    events = collect(memory)
    assert Listed("tree:maya/group/warp") in events
    assert Listed("tree:maya/loom") in collect(memory, exclude=("loom",))
    web.serve("/api/v4/projects/maya%2Fgroup%2Fwarp", Reply("no", 500))
    failed = collect(memory)
    assert Listed("tree:maya/group/warp") not in failed
    assert [item.where for item in quarantined(failed)] == ["maya/group/warp"]


def test_forks_and_archives_are_left_out_unless_asked_for(projects, collect) -> None:
    projects[0]["forked_from_project"] = {"id": 1}
    projects[1]["archived"] = True
    assert paths(collect()) == set()
    assert len(paths(collect(forks=True, archived=True))) == 2


def test_a_user_that_is_not_there_is_an_error(web, collect) -> None:
    web.serve("/api/v4/users", [{"id": 8, "username": "maya2"}])
    with pytest.raises(ExportError, match="there is no such user"):
        collect()


def test_what_is_no_list_of_projects_is_an_error(web, projects, collect) -> None:
    web.serve(LIST, [{"id": 1}])
    with pytest.raises(HttpError, match="path_with_namespace"):
        collect()


def test_a_source_is_known_by_its_user_and_host() -> None:
    assert GitlabOptions(handle="maya").name() == "maya"
    assert GitlabOptions(handle="@maya", api="https://git.example/api/v4").name() == "maya@git.example"
    with pytest.raises(ValidationError):
        GitlabOptions(handle="maya/../x")
