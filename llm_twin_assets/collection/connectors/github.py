"""GitHub: a person's repositories, gists and words in issues by the REST API and git; or a local clone or bundle."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from llm_twin_assets.collection.connector import (
    Collectable,
    Connector,
    LocalPath,
    Quarantined,
    SourceOptions,
    WebUrl,
)
from llm_twin_assets.collection.platforms import github_api
from llm_twin_assets.collection.platforms.github_discussions import discussions
from llm_twin_assets.collection.platforms.github_gists import gists
from llm_twin_assets.collection.reading.api_pages import pages, parsed
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.collection.reading.patterns import matches
from llm_twin_assets.collection.repositories.authorship import Identity
from llm_twin_assets.collection.repositories.git_remote import Credential
from llm_twin_assets.collection.repositories.local_repositories import LocalRepository
from llm_twin_assets.collection.repositories.remote_repositories import (
    Host,
    HostedRepository,
    collect_repositories,
    excluded,
    known_repositories,
    known_state,
    noted,
    quarantined,
    unchanged,
    withdrawn,
)
from llm_twin_assets.collection.repositories.repository_files import Authors
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.document import Category
from resources.errors import ConfigurationError
from resources.http import HttpError, Response, UnavailableError


def _login(handle: str) -> str:
    login = handle.strip().removeprefix("@")
    if not login.replace("-", "").replace("_", "").isalnum() or not login.isascii():
        raise PydanticCustomError("login", "should be a GitHub login, such as 'octocat'")
    return login


class GithubOptions(SourceOptions):
    """A `handle`, a local `clone` (a folder) or a `bundle` (a file); a handle may stand beside either.

    `url`: the local repository's address, for links to its files. `private` reads what GITHUB_TOKEN may, `include` and
    `exclude` are patterns for `name` or `owner/name`. A file counts if `min_share` of its lines are the person's.
    `commits`: so many of their newest ones a repository, each a document.
    `discussions` adds what they wrote in issues and pull requests anywhere: some requests for every one of these.
    """

    handle: Annotated[str, AfterValidator(_login)] | None = None
    clone: LocalPath | None = None
    bundle: LocalPath | None = None
    url: WebUrl | None = None
    api: WebUrl = "https://api.github.com"
    private: bool = False
    forks: bool = False
    archived: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_mb: int = Field(default=500, ge=1)
    min_share: float = Field(default=0.5, gt=0, le=1)
    commits: int = Field(default=100, ge=0)
    gists: bool = True
    discussions: bool = False

    def name(self) -> str:
        """The handle, with its host where that is not GitHub's own; else the local repository's name."""
        host = urlsplit(self.api).netloc
        return f"{self.handle}@{host}" if self.handle and host != "api.github.com" else super().name()

    @model_validator(mode="after")
    def _somewhere(self) -> "GithubOptions":
        if self.clone is not None and self.bundle is not None:
            raise PydanticCustomError("one_of_two", "give either 'clone' (a folder) or 'bundle' (a file)")
        if self.handle is None and self.clone is None and self.bundle is None:
            raise PydanticCustomError("one_of_three", "give 'handle', 'clone' (a folder) or 'bundle' (a file)")
        return self


async def collect(options: GithubOptions, visit: Visit) -> AsyncIterator[Collectable]:
    """Code files, READMEs and commits of every repository that changed, then gists, then discussions."""
    authors = Authors(visit.person, Identity.of(visit.person, options.handle), options.min_share, options.commits)
    local = LocalRepository(options.clone, options.bundle, options.url)
    if options.handle is None:
        async for event in local.collect(visit, authors):
            yield event
        return
    async for event in _repositories(options, options.handle, visit, authors):
        yield event
    # What these hold comes beside the repositories: a fault in one of them stops no other.
    parts = [local.collect(visit, authors, listed=False)]
    parts += [gists(options.api, options.handle, visit)] if options.gists else []
    parts += [discussions(options.api, options.handle, visit, private=options.private)] if options.discussions else []
    for part in parts:
        try:
            async for event in part:
                yield event
        except UnavailableError:
            raise  # it says when to come back
        except (ExportError, HttpError) as error:
            yield quarantined(options.api, error)


CONNECTOR = Connector(
    platform="github",
    categories=frozenset({Category.CODE, Category.ARTICLE, Category.POST}),
    options=GithubOptions,
    collect=collect,
    description="Code, READMEs, commits, gists and discussions by a person's handle, or from a local clone or bundle.",
    tokens=(github_api.TOKEN,),
)


async def _repositories(
    options: GithubOptions, handle: str, visit: Visit, authors: Authors
) -> AsyncIterator[Collectable]:
    first = await _first_page(options, handle, visit)
    if first.not_modified:
        for event in unchanged(visit):
            yield event
        return
    listed = await _all(first, visit)
    wanted, left_out = _chosen(options, handle, listed)
    token = visit.secret(github_api.TOKEN)
    host = Host(options.api, Credential("x-access-token", token) if token else None, options.max_mb)
    async for event in collect_repositories(visit, wanted, host, authors):
        yield event
    for event in excluded(visit, left_out):
        yield event
    async for event in _absent(options.api, visit, {each.full_name for each in listed}):
        yield event
    for event in noted(visit, first, wanted, max((each.pushed_at or "" for each in listed), default="")):
        yield event


async def _all(first: Response, visit: Visit) -> list[github_api.Repository]:
    return [
        repository
        async for page in pages(visit, first, github_api.headers(visit))
        for repository in parsed(page, github_api.REPOSITORIES)
    ]


async def _first_page(options: GithubOptions, handle: str, visit: Visit) -> Response:
    if options.private and visit.secret(github_api.TOKEN) is None:
        raise ConfigurationError(
            "private repositories need a token", where=f"github {handle}", mend=f"Set {github_api.TOKEN}."
        )
    if options.private:
        address = github_api.address(f"{options.api}/user/repos", affiliation="owner", sort="pushed", per_page="100")
    else:
        address = github_api.address(f"{options.api}/users/{handle}/repos", type="owner", sort="pushed", per_page="100")
    known = visit.page(address)
    settled = known is not None and known.version == known_state(visit)
    response = await github_api.ask(visit, address, conditional=settled)
    if response.missing:
        raise ExportError("there is no such user", where=address, mend="Mend `handle` in twin.yaml.")
    return response


def _chosen(
    options: GithubOptions, handle: str, listed: list[github_api.Repository]
) -> tuple[list[HostedRepository], list[str]]:
    """What is to be read, and the names that patterns leave out. Forks and archived ones are passed over in silence."""
    wanted: dict[str, HostedRepository] = {}
    left_out: list[str] = []
    for each in listed:
        if not matches(each.full_name, options.include, options.exclude):
            left_out.append(each.full_name)
        elif _is_wanted(options, handle, each):
            wanted[each.full_name] = HostedRepository(
                each.full_name,
                each.html_url,
                each.clone_url,
                each.version,
                private=each.private,
                megabytes=each.size / 1024,
            )
    return list(wanted.values()), left_out


def _is_wanted(options: GithubOptions, handle: str, each: github_api.Repository) -> bool:
    # A repository that is archived after it was read stays as it was read: archiving withdraws nothing.
    if (each.fork and not options.forks) or (each.archived and not options.archived):
        return False
    return each.owner.login.casefold() == handle.casefold()


async def _absent(api: str, visit: Visit, listed: set[str]) -> AsyncIterator[Collectable]:
    """Those that were listed once: asked for by name, for a list that changes while it is read can skip one."""
    for name in sorted(set(known_repositories(visit)) - listed):
        try:
            response = await github_api.ask(visit, f"{api}/repos/{name}")
            # A renamed repository answers under its old name, too, and is listed under the new one.
            if response.missing or parsed(response, github_api.REPOSITORY).full_name != name:
                for event in withdrawn(visit, name):
                    yield event
        except HttpError as error:
            yield Quarantined(name, f"cannot be asked for: {error}")
