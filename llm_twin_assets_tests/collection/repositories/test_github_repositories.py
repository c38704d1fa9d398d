import json
import shutil

import pytest

from llm_twin_assets.collection.connector import Found, Listed, Notice, Remember, Seen
from llm_twin_assets.collection.connectors.github import CONNECTOR, GithubOptions
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.visit import Person
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited
from llm_twin_assets_tests.collection.git_web import git_web
from llm_twin_assets_tests.collection.web import Reply
from resources.errors import ConfigurationError
from resources.http import HttpError

LIST = "/users/maya/repos"


class Account:
    """A person's account: repositories in a git server, listed by an API of GitHub's form."""

    def __init__(self, web, server, folder, git) -> None:
        self.web, self.server, self._folder, self._git = web, server, folder, git
        self.repositories: list[dict[str, object]] = []
        self.page_size = 100
        web.neighbours = (server.host,)
        web.serve(LIST, self.page)
        web.serve("/users/maya/gists", [])

    def push(self, name, files, *, date="2024-05-01T10:00:00Z", **more) -> None:
        root = self._folder({f"{name}/{path}": content for path, content in files.items()}, "work") / name
        if not (root / ".git").exists():
            self._git(root, "init", "-q")
        self._git(root, "add", "-A")
        self._git(root, "commit", "-q", "--allow-empty", "-m", "x", "--author", "M. L. <maya@example.com>")
        clone_url = self.server.publish(root, f"maya/{name}")
        self.repositories = [each for each in self.repositories if each["name"] != name]
        repository = {
            "name": name,
            "full_name": f"maya/{name}",
            "html_url": f"https://github.com/maya/{name}",
            "clone_url": clone_url,
            "owner": {"login": "Maya"},
            "private": False,
            "fork": False,
            "archived": False,
            "size": 12,
            "pushed_at": date,
            "default_branch": "main",
        }
        self.repositories.insert(0, repository | more)
        self.web.serve(f"/repos/maya/{name}", lambda asked: Reply(self.named(name)))

    def named(self, name):
        return next(each for each in self.repositories if each["name"] == name)

    def drop(self, name) -> None:
        self.repositories = [each for each in self.repositories if each["name"] != name]
        del self.web.pages[f"/repos/maya/{name}"]
        shutil.rmtree(self.server.root / f"maya/{name}.git")

    def page(self, asked) -> Reply:
        number = int(asked.query.get("page", "1"))
        start = (number - 1) * self.page_size
        more = start + self.page_size < len(self.repositories)
        link = f'<{self.web.url}{LIST}?type=owner&page={number + 1}>; rel="next", <{self.web.url}{LIST}>; rel="first"'
        return Reply(self.repositories[start : start + self.page_size], headers={"Link": link} if more else {})

    def clones(self) -> int:
        return sum(path.endswith("git-upload-pack") for method, path, _ in self.server.requests if method == "POST")


@pytest.fixture
def account(web, tmp_path, folder, git, monkeypatch):
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with git_web(tmp_path / "served") as server:
        account = Account(web, server, folder, git)
        account.push("loom", {"a.py": "a = 1\n", "b.py": "b = 1\n", "README.md": "# Loom\n"})
        account.push("shuttle", {"s.go": "package s\n"}, date="2024-06-01T10:00:00Z")
        yield account


@pytest.fixture
def collect(account):
    def run(memory=None, person=None, **options):
        checked = GithubOptions(handle="maya", api=account.web.url, **options)
        more = {"person": person} if person else {}
        return visited(CONNECTOR, checked, memory, account.web, **more)

    return run


def paths(events):
    return {f"{each.repository}:{each.path or 'README'}" for each in events if isinstance(each, Found)}


def listings(events):
    return {(each.listing, each.again) for each in events if isinstance(each, Listed) and each.listing != "gists"}


def test_every_repository_is_a_listing_of_its_own(account) -> None:
    events = assert_connector(CONNECTOR, GithubOptions(handle="maya", api=account.web.url), account.web)
    assert paths(events) == {"maya/loom:a.py", "maya/loom:b.py", "maya/loom:README", "maya/shuttle:s.go"}
    assert listings(events) == {("tree:maya/loom", False), ("tree:maya/shuttle", False)}
    code = next(each for each in events if isinstance(each, Found) and each.path == "a.py")
    assert code.stable_id == "https://github.com/maya/loom#a.py"
    assert code.url == "https://github.com/maya/loom/blob/main/a.py"
    assert Remember("cursor", "2024-06-01T10:00:00Z") in events


def test_a_notebook_is_code_as_markdown_and_a_broken_one_is_quarantined_and_still_there(account, collect) -> None:
    cells = [
        {"cell_type": "markdown", "source": "# Warp"},
        {"cell_type": "code", "source": "w = 1", "outputs": [{"text": "x" * 300_000}]},
    ]
    notebook = json.dumps({"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": cells})
    account.push("loom", {"warp.ipynb": notebook, "bad.ipynb": "{"}, date="2024-07-01T10:00:00Z")
    events = collect()
    [found] = [each for each in events if isinstance(each, Found) and each.path == "warp.ipynb"]
    assert found.content == "# Warp\n\n```python\nw = 1\n```\n"
    assert (found.category, found.code_language, found.repository) == (Category.CODE, "markdown", "maya/loom")
    [broken] = quarantined(events)
    assert "bad.ipynb" in broken.where
    assert "not JSON" in broken.reason
    assert Seen("https://github.com/maya/loom#bad.ipynb", "tree:maya/loom") in events


def test_an_unchanged_account_costs_conditional_requests_and_no_clone(account, collect) -> None:
    memory = remembered(collect())
    clones, asked = account.clones(), len(account.web.requests)
    second = collect(memory)
    assert account.clones() == clones
    assert all(each.conditional for each in account.web.requests[asked:])
    assert paths(second) == set()
    assert listings(second) == {("tree:maya/loom", True), ("tree:maya/shuttle", True)}
    assert not [event for event in second if isinstance(event, Remember)]


def test_only_what_was_pushed_is_cloned_again(account, collect) -> None:
    memory = remembered(collect())
    account.push("loom", {"a.py": "a = 2\n"}, date="2024-07-01T10:00:00Z")
    account.server.requests.clear()
    second = collect(memory)
    assert paths(second) == {"maya/loom:a.py", "maya/loom:b.py", "maya/loom:README"}
    assert account.server.clones("maya/shuttle") == 0
    assert ("tree:maya/shuttle", True) in listings(second)


def test_a_push_that_leaves_head_where_it_was_clones_nothing(account, collect) -> None:
    memory = remembered(collect())
    account.named("loom")["pushed_at"] = "2024-07-01T10:00:00Z"
    clones = account.clones()
    second = collect(memory)
    assert paths(second) == set()
    assert account.clones() == clones + 1  # what HEAD is
    assert ("tree:maya/loom", True) in listings(second)
    clones = account.clones()
    collect(remembered(second, memory))
    assert account.clones() == clones


def test_a_file_that_was_deleted_is_missed_and_missed_again_without_a_further_push(account, collect, tmp_path) -> None:
    memory = remembered(collect())
    (tmp_path / "work/loom/b.py").unlink()
    account.push("loom", {}, date="2024-07-01T10:00:00Z")
    second = collect(memory)
    assert paths(second) == {"maya/loom:a.py", "maya/loom:README"}
    assert ("tree:maya/loom", False) in listings(second)
    assert ("tree:maya/loom", True) in listings(collect(remembered(second, memory)))


def test_a_repository_that_fails_stops_no_other_and_is_tried_again(account, collect) -> None:
    shutil.move(account.server.root / "maya/loom.git", account.server.root / "away")
    first = collect()
    assert paths(first) == {"maya/shuttle:s.go"}
    assert [("loom" in item.where, "tried again" in item.reason) for item in quarantined(first)] == [(True, True)]
    assert listings(first) == {("tree:maya/shuttle", False)}
    shutil.move(account.server.root / "away", account.server.root / "maya/loom.git")
    second = collect(remembered(first))
    assert paths(second) == {"maya/loom:a.py", "maya/loom:b.py", "maya/loom:README"}


def test_a_repository_that_is_gone_is_missed_twice_and_then_forgotten(account, collect) -> None:
    memory = remembered(collect())
    account.drop("shuttle")
    for expected in ({"absent": True}, None):
        events = collect(memory)
        assert ("tree:maya/shuttle", False) in listings(events)
        assert ("tree:maya/loom", True) in listings(events)
        memory = remembered(events, memory)
        assert memory.get("tree:maya/shuttle") == expected
    assert "tree:maya/shuttle" not in {listing for listing, _ in listings(collect(memory))}


def test_a_list_that_skips_a_repository_does_not_remove_it(account, collect) -> None:
    memory = remembered(collect())
    skipped = account.repositories.pop(0)
    account.web.serve("/repos/maya/shuttle", Reply(skipped))
    assert listings(collect(memory)) == {("tree:maya/loom", True)}


@pytest.mark.parametrize("status", [403, 451, 500])
def test_a_repository_that_cannot_be_asked_for_is_not_taken_for_gone(account, collect, status) -> None:
    memory = remembered(collect())
    account.repositories.pop(0)
    account.web.serve("/repos/maya/shuttle", Reply("no", status))
    events = collect(memory)
    assert listings(events) == {("tree:maya/loom", True)}
    assert [item.where for item in quarantined(events)] == ["maya/shuttle"]


def test_a_renamed_repository_moves_to_its_new_name(account, collect) -> None:
    memory = remembered(collect())
    renamed = account.named("shuttle") | {
        "name": "bobbin",
        "full_name": "maya/bobbin",
        "html_url": "https://github.com/maya/bobbin",
    }
    account.repositories = [renamed, account.named("loom")]
    account.web.serve("/repos/maya/shuttle", Reply(renamed))
    events = collect(memory)
    assert paths(events) == {"maya/bobbin:s.go"}
    assert ("tree:maya/shuttle", False) in listings(events)


def test_forks_and_archives_are_left_out_unless_asked_for(account, collect) -> None:
    account.push("forked", {"f.py": "f = 1\n"}, fork=True)
    account.push("old", {"o.py": "o = 1\n"}, archived=True)
    account.push("guest", {"g.py": "g = 1\n"}, owner={"login": "someone"})
    first = collect()
    assert not paths(first) & {"maya/forked:f.py", "maya/old:o.py", "maya/guest:g.py"}
    assert paths(collect(forks=True, archived=True)) >= {"maya/forked:f.py", "maya/old:o.py"}


def test_archiving_a_repository_withdraws_nothing(account, collect) -> None:
    memory = remembered(collect())
    account.named("loom")["archived"] = True
    events = collect(memory)
    assert "tree:maya/loom" not in {listing for listing, _ in listings(events)}
    assert not quarantined(events)


def test_patterns_choose_and_what_they_leave_out_counts_as_missing(account, collect) -> None:
    assert paths(collect(include=("Maya/lo*",))) == {"maya/loom:a.py", "maya/loom:b.py", "maya/loom:README"}
    first = collect(exclude=("loom",))
    assert paths(first) == {"maya/shuttle:s.go"}
    assert ("tree:maya/loom", False) in listings(first)
    # The second visit gets a 304 and says the same.
    assert ("tree:maya/loom", True) in listings(collect(remembered(first), exclude=("loom",)))


def test_a_repository_that_is_too_large_is_named_and_not_cloned(account, collect) -> None:
    account.named("loom")["size"] = 3 * 1024
    account.server.requests.clear()
    first = collect(max_mb=2)
    assert account.server.clones("maya/loom") == 0
    assert [event.what for event in first if isinstance(event, Notice)] == [
        "maya/loom is left out: 3 MB are more than max_mb (2)"
    ]
    assert "tree:maya/loom" not in {listing for listing, _ in listings(first)}
    assert any(isinstance(event, Notice) for event in collect(remembered(first), max_mb=2))


def test_a_repository_of_strangers_is_named_at_every_visit_but_cloned_once(account, collect) -> None:
    other = Person("ada", "Ada Lovelace")
    first = collect(person=other)
    assert paths(first) == set()
    assert len(quarantined(first)) == 2
    assert listings(first) == set()
    clones = account.clones()
    assert len(quarantined(collect(remembered(first), person=other))) == 2
    assert account.clones() == clones


def test_an_empty_repository_is_nothing_to_speak_of(account, collect, folder, git) -> None:
    root = folder({}, "void")
    git(root, "init", "-q")
    account.server.publish(root, "maya/void")
    account.repositories.append(account.named("loom") | {
        "name": "void", "full_name": "maya/void", "clone_url": f"{account.server.url}/maya/void.git", "size": 0
    })  # fmt: skip
    events = collect()
    assert not quarantined(events)
    assert ("tree:maya/void", False) not in listings(events)


def test_a_list_in_pages_is_read_to_its_end(account, collect) -> None:
    account.page_size = 1
    assert listings(collect()) == {("tree:maya/loom", False), ("tree:maya/shuttle", False)}
    assert [each.query.get("page") for each in account.web.asked_for(LIST)] == [None, "2"]


def test_a_page_that_fails_is_an_error_and_no_absence(account, collect) -> None:
    memory = remembered(collect())
    account.page_size = 1
    answer = account.page
    account.web.serve(LIST, lambda asked: Reply("x", 500) if asked.query.get("page") == "2" else answer(asked))
    account.named("loom")["size"] = 13  # the first page is not what it was
    with pytest.raises(HttpError):
        collect(memory)


def test_a_next_page_at_another_host_is_not_followed(account, collect) -> None:
    link = {"Link": '<http://localhost:9/users/maya/repos?page=2>; rel="next"'}
    account.web.serve(LIST, Reply(account.repositories, headers=link))
    with pytest.raises(HttpError, match="next page at another host"):
        collect()


@pytest.mark.parametrize("body", [{"message": "x"}, [{"full_name": 1}], "<html>"])
def test_what_is_no_list_of_repositories_is_an_error(account, collect, body) -> None:
    account.web.serve(LIST, body)
    with pytest.raises(HttpError):
        collect()


def test_a_user_that_is_not_there_is_an_error(account, collect) -> None:
    del account.web.pages[LIST]
    with pytest.raises(ExportError, match=r"there is no such user\. Mend `handle`"):
        collect()


def test_private_repositories_need_a_token_and_git_gets_it_for_them_alone(account, collect, monkeypatch) -> None:
    with pytest.raises(ConfigurationError, match="Set GITHUB_TOKEN"):
        collect(private=True)
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    account.named("loom")["private"] = True
    account.web.serve("/user/repos", account.page)
    account.server.requests.clear()
    events = collect(private=True)
    assert paths(events) >= {"maya/loom:a.py", "maya/shuttle:s.go"}
    sent = {path.split("/")[2]: header for _, path, header in account.server.requests}
    assert sent["shuttle.git"] is None
    assert sent["loom.git"].startswith("Basic ")
    (asked,) = account.web.asked_for("/user/repos")
    assert asked.headers["authorization"] == "Bearer t0ken"
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert "t0ken" not in str(events)


def test_a_clone_address_at_another_host_gets_no_token(account, collect, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    account.named("loom").update(private=True, clone_url="https://localhost/maya/loom.git")
    events = collect()
    assert [("loom" in item.where, "no public address" in item.reason) for item in quarantined(events)] == [
        (True, True)
    ]
    assert "t0ken" not in str(events)


def test_a_bundle_beside_a_handle_adds_and_takes_nothing_away(account, collect, git, tmp_path) -> None:
    git(tmp_path / "work/loom", "bundle", "create", "-q", str(tmp_path / "loom.bundle"), "--all")
    events = collect(bundle=tmp_path / "loom.bundle", url="https://github.com/maya/loom")
    both = [each for each in events if isinstance(each, Found) and each.stable_id.endswith("loom#a.py")]
    assert [each.listing for each in both] == ["tree:maya/loom", "bundle:maya/loom"]
    assert ("bundle:maya/loom", False) not in listings(events)
    (tmp_path / "loom.bundle").write_text("broken")
    assert len(quarantined(collect(bundle=tmp_path / "loom.bundle"))) == 1


def test_what_leaves_the_source_leaves_the_warehouse_after_two_visits(account, visit, tmp_path) -> None:
    def removed(**options) -> list[int]:
        checked = GithubOptions(handle="maya", api=account.web.url, **options)
        return [visit(CONNECTOR, checked, web=account.web).removed for _ in range(3)]

    assert removed() == [0, 0, 0]
    (tmp_path / "work/loom/b.py").unlink()
    account.push("loom", {}, date="2024-07-01T10:00:00Z")
    assert removed() == [0, 1, 0]  # without a second push
    account.drop("shuttle")
    assert removed() == [0, 1, 0]
    assert removed(exclude=("loom",)) == [0, 3, 0]  # a file, the README, the commit that took the other file away
