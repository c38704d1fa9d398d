"""GitHub's REST API, the part that tells what a person has published: their repositories, gists and words in issues.

https://docs.github.com/rest; all of it can be read without a token, sixty requests an hour.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from pydantic import BaseModel, Field, TypeAdapter

from llm_twin_assets.collection.visit import Visit
from resources.http import Response

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - its name


class User(BaseModel):
    """Who owns or wrote something."""

    login: str = ""


class Repository(BaseModel):
    """One of `/users/{login}/repos`; `size` is in kilobytes."""

    full_name: str
    html_url: str
    clone_url: str
    owner: User = User()
    private: bool = False
    fork: bool = False
    archived: bool = False
    size: int = 0
    pushed_at: str | None = None
    default_branch: str | None = None

    @property
    def version(self) -> str:
        """What changes when HEAD may have."""
        return f"{self.pushed_at or ''} {self.default_branch or ''}".strip()


class GistFile(BaseModel):
    """A file of a gist; `raw_url` names one version of it."""

    filename: str
    raw_url: str
    size: int = 0


class Gist(BaseModel):
    """One of `/users/{login}/gists`."""

    id: str
    html_url: str
    description: str | None = None
    created_at: datetime
    files: dict[str, GistFile] = Field(default_factory=dict)


class Thread(BaseModel):
    """An issue or a pull request, as a search finds it."""

    html_url: str
    comments_url: str
    number: int
    title: str
    body: str | None = None
    user: User | None = None
    created_at: datetime
    updated_at: str
    pull_request: Mapping[str, object] | None = None


class Threads(BaseModel):
    """One page of a search; `incomplete_results` means that it was cut short by time."""

    total_count: int
    incomplete_results: bool = False
    items: list[Thread]


class Comment(BaseModel):
    """A comment in an issue, a pull request or a review."""

    html_url: str
    body: str | None = None
    user: User | None = None
    created_at: datetime


REPOSITORY: TypeAdapter[Repository] = TypeAdapter(Repository)
REPOSITORIES: TypeAdapter[list[Repository]] = TypeAdapter(list[Repository])
GISTS: TypeAdapter[list[Gist]] = TypeAdapter(list[Gist])
THREADS: TypeAdapter[Threads] = TypeAdapter(Threads)
COMMENTS: TypeAdapter[list[Comment]] = TypeAdapter(list[Comment])


def headers(visit: Visit) -> dict[str, str]:
    """What GitHub asks a client to send, and the token where there is one."""
    stated = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
    token = visit.secret(TOKEN)
    return stated | ({"authorization": f"Bearer {token}"} if token else {})


def address(url: str, **parameters: str) -> str:
    """An address with its query, by which the validators of its answer are remembered."""
    return f"{url}?{urlencode(parameters)}"


async def ask(visit: Visit, url: str, *, conditional: bool = False) -> Response:
    """One request to the API."""
    return await visit.get(url, headers=headers(visit), robots=False, conditional=conditional)
