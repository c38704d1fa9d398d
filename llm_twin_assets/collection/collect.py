"""All sources of one author on one platform, visited one after the other. No Dagster here."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from llm_twin_assets.collection.connector import Connector, SourceOptions
from llm_twin_assets.collection.connectors import connector
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.collected import Collected
from llm_twin_assets.collection.engine.collector import Collector
from llm_twin_assets.collection.engine.documents import Scrubbing
from llm_twin_assets.collection.engine.links import link_copies
from llm_twin_assets.collection.sources import OptionsError, options_of
from llm_twin_assets.collection.visit import Person
from resources.errors import ConfigurationError, TwinError
from resources.http import HttpClient, HttpCounts, HttpPolicy
from resources.settings import Author, Environment, Http, Settings
from resources.warehouse import Warehouse
from resources.yaml_source import Location, YamlSource


@dataclass
class PlatformCollected:
    """What the visits came to: one entry a source, those with an error too, and what was asked of the network."""

    sources: list[Collected] = field(default_factory=list)
    errors: list[TwinError] = field(default_factory=list)
    http: HttpCounts = field(default_factory=HttpCounts)
    linked: int = 0


def collect_platform(
    key: str,
    found: Connector[SourceOptions],
    settings: Settings,
    environment: Environment,
    warehouse: Warehouse,
    now: datetime,
    progress: Callable[[str], None],
) -> PlatformCollected:
    """Visit every source; one that fails does not stop the others. Raises `ConfigurationError` for a broken author."""
    author = settings.author(key)
    _refuse_unknown_platforms(key, author, environment)
    result = PlatformCollected()
    chosen = _chosen(key, author, found, environment, result.errors)
    if not chosen:
        return result

    def collector(http: HttpClient) -> Collector:
        return Collector(
            person=Person(key, author.name, author.emails),
            warehouse=warehouse,
            http=http,
            scrubbing=Scrubbing(settings.collection.scrub, author.public),
            known=stored.known_documents(warehouse, key),
            now=now,
            progress=progress,
            forgotten=stored.forgotten(warehouse, key),
        )

    asyncio.run(_visit_all(found, chosen, collector, http_policy(settings.collection.http), result))
    result.linked = link_copies(warehouse, key)
    return result


async def _visit_all(
    found: Connector[SourceOptions],
    chosen: Sequence[SourceOptions],
    collector: Callable[[HttpClient], Collector],
    policy: HttpPolicy,
    result: PlatformCollected,
) -> None:
    async with HttpClient(policy) as http:
        collecting = collector(http)
        for options in chosen:
            collected = await collecting.visit(found, options)
            result.sources.append(collected)
            if collected.error:
                result.errors.append(collected.error)
        result.http = http.counts


def http_policy(stated: Http) -> HttpPolicy:
    """The client's policy as `twin.yaml` has it; the contact stands in the User-Agent, so that a host can complain."""
    standard = HttpPolicy()
    return HttpPolicy(
        user_agent=f"{standard.user_agent.rstrip(')')}; {stated.contact})" if stated.contact else standard.user_agent,
        requests_per_second=stated.requests_per_second,
        concurrency_per_host=stated.concurrency_per_host,
        timeout=stated.timeout,
        max_bytes=stated.max_mb * 2**20,
        allowed=stated.allowed,
    )


def _chosen(
    key: str, author: Author, found: Connector[SourceOptions], environment: Environment, errors: list[TwinError]
) -> list[SourceOptions]:
    """The checked options of the author's sources on the platform; what is wrong with others goes to `errors`."""
    chosen: list[SourceOptions] = []
    for index, source in enumerate(author.sources):
        if source.platform != found.platform:
            continue
        try:
            chosen.append(options_of(key, index, source, environment.config.parent)[1])
        except OptionsError as error:
            errors.append(error.located(yaml) if (yaml := _yaml(environment)) else error)
    return chosen


def _refuse_unknown_platforms(key: str, author: Author, environment: Environment) -> None:
    """No asset answers for a misspelt platform, so each refuses it: its documents must not silently be missing."""
    for index, source in enumerate(author.sources):
        try:
            connector(source.platform)
        except ConfigurationError as error:
            location: Location = ("authors", key, "sources", index, "platform")
            yaml = _yaml(environment)
            where = yaml.where(location) if yaml else ".".join(map(str, location))
            raise ConfigurationError(error.what, where=where, mend=error.mend) from None


def _yaml(environment: Environment) -> YamlSource | None:
    return YamlSource.read(environment.config) if environment.config.is_file() else None
