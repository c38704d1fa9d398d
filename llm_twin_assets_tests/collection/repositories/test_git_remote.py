import asyncio
import base64
import subprocess

import pytest

from llm_twin_assets.collection.repositories import git_remote
from llm_twin_assets.collection.repositories.git import contents, tree
from llm_twin_assets.collection.repositories.git_remote import (
    Credential,
    GitRemoteError,
    Remote,
    clone,
    origins_match,
    remote,
    remote_head,
)
from llm_twin_assets_tests.collection.git_web import git_web
from llm_twin_assets_tests.collection.web import Reply, local_web
from resources.http import AddressRefusedError, network

CREDENTIAL = Credential("x-access-token", "s3cr3t")
SENT = "Basic " + base64.b64encode(b"x-access-token:s3cr3t").decode()
ROOM = 2**26


@pytest.fixture
def server(tmp_path):
    with git_web(tmp_path / "served") as web:
        yield web


@pytest.fixture
def repository(folder, git):
    root = folder({"a.py": "x = 1\n", "data.csv": b"1,2\n" * 400_000}, "work")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    return root


def reached(url, *allowed, credential=None):
    return asyncio.run(remote(url, allowed, credential))


def test_a_clone_has_all_of_history_and_no_large_blob(server, repository, git, tmp_path) -> None:
    (repository / "a.py").write_text("x = 2\n")
    git(repository, "commit", "-q", "-a", "-m", "two")
    asked = reached(server.publish(repository, "maya/loom"), server.host)
    assert remote_head(asked) == git(repository, "rev-parse", "HEAD").strip()
    clone(asked, tmp_path / "copy.git", ROOM)
    blobs = tree(tmp_path / "copy.git", "main")
    assert [blob.path for blob in blobs] == ["a.py"]
    assert [data for _, data in contents(tmp_path / "copy.git", blobs)] == [b"x = 2\n"]
    assert git(tmp_path / "copy.git", "rev-list", "--count", "main").strip() == "2"
    assert "remote" not in (tmp_path / "copy.git/config").read_text()


def test_a_server_that_knows_only_files_is_cloned_too(repository, git, tmp_path) -> None:
    git(repository, "clone", "-q", "--bare", str(repository), str(tmp_path / "plain.git"))
    git(tmp_path / "plain.git", "update-server-info")
    with local_web() as web:
        for file in (tmp_path / "plain.git").rglob("*"):
            if file.is_file():
                place = f"/plain.git/{file.relative_to(tmp_path / 'plain.git').as_posix()}"
                web.serve(place, Reply(file.read_bytes(), media_type="text/plain"))
        asked = reached(f"{web.url}/plain.git", web.host)
        assert remote_head(asked) == git(repository, "rev-parse", "HEAD").strip()
        clone(asked, tmp_path / "copy.git", ROOM)
    assert {blob.path for blob in tree(tmp_path / "copy.git", "main")} == {"a.py", "data.csv"}


def test_a_token_opens_a_private_repository_and_shows_nowhere(server, repository, tmp_path, monkeypatch) -> None:
    url = server.publish(repository, "maya/loom")
    server.password = SENT
    with pytest.raises(GitRemoteError, match="could not read Username"):
        remote_head(reached(url, server.host))
    started = []
    started_for_real = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **more: started.append(command) or started_for_real(command, **more)
    )
    asked = reached(url, server.host, credential=CREDENTIAL)
    clone(asked, tmp_path / "copy.git", ROOM)
    assert tree(tmp_path / "copy.git", "main")
    assert "s3cr3t" not in repr(asked)
    assert SENT not in str(started)
    assert SENT.removeprefix("Basic ") not in (tmp_path / "copy.git/config").read_text()


def test_a_redirect_is_not_followed_and_takes_no_token_along(server, repository, tmp_path) -> None:
    url = server.publish(repository, "maya/loom")
    with git_web(tmp_path / "served") as elsewhere:
        server.redirect_to = elsewhere.url
        with pytest.raises(GitRemoteError):
            remote_head(reached(url, server.host, elsewhere.host, credential=CREDENTIAL))
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x.git",
        "https://localhost/x.git",
        "https://[::1]/x.git",
        "https://169.254.169.254/latest",
        "http://93.184.216.34/x.git",
        "file:///etc/passwd",
        "ext::sh -c touch% /tmp/x",
        "ssh://git@github.com/x.git",
        "https://user:password@93.184.216.34/x.git",
    ],
)
def test_only_public_https_addresses_are_cloned_from(url) -> None:
    with pytest.raises(AddressRefusedError):
        reached(url)


def test_git_connects_to_the_address_that_was_checked_and_looks_nothing_up(server, repository, git) -> None:
    url = server.publish(repository, "maya/loom").replace("127.0.0.1", "loom.invalid")
    port = server.host.rpartition(":")[2]
    pinned = Remote(url, f"http://loom.invalid:{port}", f"loom.invalid:{port}:127.0.0.1")
    assert remote_head(pinned) == git(repository, "rev-parse", "HEAD").strip()


def test_a_public_name_is_pinned_to_what_it_was_resolved_to(monkeypatch) -> None:
    async def resolved(host: str, port: int) -> list[str]:
        if host[0].isdigit():
            return [host]
        return {"git.example": ["93.184.216.34", "2606:4700::1111"], "trap.example": ["93.184.216.34", "10.0.0.1"]}[
            host
        ]

    monkeypatch.setattr(network, "resolved", resolved)
    assert reached("https://git.example/x.git").pin == "git.example:443:93.184.216.34,[2606:4700::1111]"
    assert reached("https://93.184.216.34/x.git").pin is None
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        reached("https://trap.example/x.git")


def test_a_repository_larger_than_allowed_is_given_up(server, repository, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(git_remote, "_LOOK_EVERY", 0.001)
    asked = reached(server.publish(repository, "maya/loom"), server.host)
    with pytest.raises(GitRemoteError, match=r"is larger than 0 MB\. Raise `max_mb`"):
        clone(asked, tmp_path / "copy.git", 1)


def test_a_repository_that_is_not_there_is_an_error_in_gits_words(server) -> None:
    server.root.mkdir()
    with pytest.raises(GitRemoteError, match=r"maya/none\.git: git ls-remote failed: .*not found"):
        remote_head(reached(f"{server.url}/maya/none.git", server.host))


def test_a_repository_without_a_commit_has_no_head(server, folder, git) -> None:
    root = folder({}, "empty")
    git(root, "init", "-q")
    assert remote_head(reached(server.publish(root, "maya/empty"), server.host)) is None


def test_a_token_is_for_the_host_of_its_api() -> None:
    assert origins_match("https://api.github.com", "https://github.com/maya/loom.git")
    assert origins_match("https://git.example/api/v3", "https://git.example/maya/loom.git")
    assert not origins_match("https://api.github.com", "https://github.com.evil.example/x.git")
    assert not origins_match("https://git.example/api/v3", "https://other.example/x.git")
