"""GitLab, gitlab.com or a server of one's own: the code and READMEs of a person's projects, by the REST API and git."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, Field, TypeAdapter

from llm_twin_assets.collection.connector import Collectable, Connector, Quarantined, SourceOptions, WebUrl
from llm_twin_assets.collection.reading.api_pages import pages, parsed
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.reading.patterns import matches
from llm_twin_assets.collection.repositories.authorship import Identity
from llm_twin_assets.collection.repositories.git_remote import Credential
from llm_twin_assets.collection.repositories.remote_repositories import (
    Host,
    HostedRepository,
    collect_repositories,
    excluded,
    known_repositories,
    known_state,
    noted,
    unchanged,
    withdrawn,
)
from llm_twin_assets.collection.repositories.repository_files import Authors
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.http import HttpError, Response

_TOKEN = "GITLAB_TOKEN"  # noqa: S105 - its name
_HOME = "https://gitlab.com/api/v4"
# GitLab moves `last_activity_at` once an hour at most: a push soon after another leaves it as it was.
_SETTLED_AFTER = timedelta(hours=1, minutes=5)


class GitlabOptions(SourceOptions):
    """`handle`: the user name. `api`: of a server of one's own, `https://HOST/api/v4`.

    `include` and `exclude` are patterns for `name` or `group/name`. A file counts if `min_share` of its lines are the
    person's. `commits`: so many of their newest ones a project, each a document. GITLAB_TOKEN is needed for private
    projects alone.
    """

    handle: str = Field(pattern=r"^@?[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    api: WebUrl = _HOME
    forks: bool = False
    archived: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_mb: int = Field(default=500, ge=1)
    min_share: float = Field(default=0.5, gt=0, le=1)
    commits: int = Field(default=100, ge=0)

    @property
    def login(self) -> str:
        """The handle without its `@`."""
        return self.handle.removeprefix("@")

    def name(self) -> str:
        """The user name, with its host where that is not gitlab.com."""
        return self.login if self.api == _HOME else f"{self.login}@{urlsplit(self.api).netloc}"


class _User(BaseModel):
    id: int
    username: str


class _Project(BaseModel):
    path_with_namespace: str
    web_url: str
    http_url_to_repo: str
    last_activity_at: str | None = None
    default_branch: str | None = None
    visibility: str = "public"
    archived: bool = False
    forked_from_project: dict[str, object] | None = None


_USERS: TypeAdapter[list[_User]] = TypeAdapter(list[_User])
_PROJECTS: TypeAdapter[list[_Project]] = TypeAdapter(list[_Project])
_PROJECT: TypeAdapter[_Project] = TypeAdapter(_Project)


async def collect(options: GitlabOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Code files and READMEs of every project that changed."""
    user = await _user(options, visit)
    address = f"{options.api}/users/{user.id}/projects?pagination=keyset&order_by=id&sort=desc&per_page=100"
    known = visit.page(address)
    first = await _ask(visit, address, conditional=known is not None and known.version == known_state(visit))
    if first.not_modified:
        for event in unchanged(visit):
            yield event
        return
    listed = [project async for page in pages(visit, first, _headers(visit)) for project in parsed(page, _PROJECTS)]
    token = visit.secret(_TOKEN)
    # With a token any user name will do: https://docs.gitlab.com/user/profile/personal_access_tokens/
    host = Host(options.api, Credential("oauth2", token) if token else None, options.max_mb, blob="-/blob")
    authors = Authors(visit.person, Identity.of(visit.person, user.username), options.min_share, options.commits)
    asked_for = [each for each in listed if matches(each.path_with_namespace, options.include, options.exclude)]
    wanted = [_hosted(each, visit) for each in asked_for if _is_wanted(options, each)]
    async for event in collect_repositories(visit, wanted, host, authors):
        yield event
    for event in excluded(visit, (each.path_with_namespace for each in listed if each not in asked_for)):
        yield event
    async for event in _absent(options.api, visit, {each.path_with_namespace for each in listed}):
        yield event
    for event in noted(visit, first, wanted, max((each.last_activity_at or "" for each in listed), default="")):
        yield event


CONNECTOR = Connector(
    platform="gitlab",
    categories=frozenset({Category.CODE, Category.ARTICLE}),
    options=GitlabOptions,
    collect=collect,
    description="Code, READMEs and commits of a person's GitLab projects.",
    tokens=(_TOKEN,),
)


async def _user(options: GitlabOptions, visit: Visit) -> _User:
    response = await _ask(visit, f"{options.api}/users?username={quote(options.login)}")
    found = [] if response.missing else parsed(response, _USERS)
    user = next((each for each in found if each.username.casefold() == options.login.casefold()), None)
    if user is None:
        raise ExportError("there is no such user", where=response.url, mend="Mend `handle` in twin.yaml.")
    return user


def _headers(visit: Visit) -> dict[str, str]:
    token = visit.secret(_TOKEN)
    return {"accept": "application/json"} | ({"private-token": token} if token else {})


async def _ask(visit: Visit, address: str, *, conditional: bool = False) -> Response:
    return await visit.get(address, headers=_headers(visit), robots=False, conditional=conditional)


def _is_wanted(options: GitlabOptions, project: _Project) -> bool:
    return (options.forks or project.forked_from_project is None) and (options.archived or not project.archived)


def _hosted(project: _Project, visit: Visit) -> HostedRepository:
    active = utc(project.last_activity_at)
    settled = active is not None and visit.now - active > _SETTLED_AFTER
    return HostedRepository(
        project.path_with_namespace,
        project.web_url,
        project.http_url_to_repo,
        f"{project.last_activity_at} {project.default_branch}" if settled else None,
        private=project.visibility != "public",
    )


async def _absent(api: str, visit: Visit, listed: set[str]) -> AsyncIterator[Collectable]:
    for name in sorted(set(known_repositories(visit)) - listed):
        try:
            response = await _ask(visit, f"{api}/projects/{quote(name, safe='')}")
            # A project that moved answers under its old name, too.
            if response.missing or parsed(response, _PROJECT).path_with_namespace != name:
                for event in withdrawn(visit, name):
                    yield event
        except HttpError as error:
            yield Quarantined(name, f"cannot be asked for: {error}")
