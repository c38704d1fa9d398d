"""When collection runs without a clock: a new author or source in `twin.yaml`, a new file on this disk."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import dagster as dg

from llm_twin_assets.collection.assets import raw_key
from llm_twin_assets.collection.local_changes import fingerprint_of
from llm_twin_assets.collection.schedules import COLLECT_JOB
from llm_twin_assets.collection.sources import check_sources, options_of, paths_of
from llm_twin_assets.domain.identity import digest
from llm_twin_assets.partitions import AUTHORS
from resources.errors import ConfigurationError
from resources.settings import Author, Environment, Settings
from resources.yaml_source import YamlSource

Cursor: TypeAlias = dict[str, str]


@dg.sensor(
    name="register_authors",
    job=COLLECT_JOB,
    minimum_interval_seconds=30,
    # RUNNING for the same reason as the schedules: without it a newcomer's twin.yaml would change nothing to be seen.
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers the authors in twin.yaml and collects an author who is new or whose sources changed.",
)
def register_authors(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Read `twin.yaml` when it has changed (the cursor has digests of it and of each author in it)."""
    path = Environment.current().config
    before = _cursor(context.cursor)
    try:
        seen = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if seen and seen == before.get("twin.yaml"):
            return dg.SkipReason("twin.yaml has not changed.")
        settings = Settings.load(path)
        check_sources(settings, YamlSource.read(path))
    except ConfigurationError as error:
        # The cursor stays: the message is there at each tick until the file is mended.
        return dg.SkipReason(str(error))
    registered = set(context.instance.get_dynamic_partitions(AUTHORS.name or ""))
    new = [author for author in settings.authors if author not in registered]
    digests = {key: digest(author.model_dump_json()) for key, author in settings.authors.items()}
    changed = [key for key in digests if key not in new and before.get(key, digests[key]) != digests[key]]
    return dg.SensorResult(
        dynamic_partitions_requests=[AUTHORS.build_add_request(new)] if new else [],
        run_requests=[
            *(dg.RunRequest(partition_key=key, run_key=f"first-collection-of-{key}") for key in new),
            *(dg.RunRequest(partition_key=key, run_key=f"sources-of-{key}-{digests[key][:16]}") for key in changed),
        ],
        cursor=json.dumps({**digests, "twin.yaml": seen or ""}),
    )


@dg.sensor(
    name="local_changes",
    job=COLLECT_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Collects a source on this disk (export, watch folder, clone, folder of files) when it has changed.",
)
def local_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Compare what lies on disk with what lay there. A change counts when it is the same at two ticks: a zip that is
    still being copied is left to finish."""
    environment = Environment.current()
    try:
        settings = Settings.load(environment.config)
    except ConfigurationError as error:
        return dg.SkipReason(str(error))
    registered = set(context.instance.get_dynamic_partitions(AUTHORS.name or ""))
    before = _cursor(context.cursor)
    after: Cursor = {}
    requests: list[dg.RunRequest] = []
    for place in _places(settings, environment):
        entry = before.get(place.key)
        after[place.key], due = compared(entry, place.fingerprint)
        if due and place.author in registered:
            requests.append(
                dg.RunRequest(
                    partition_key=place.author,
                    asset_selection=[raw_key(place.platform)],
                    run_key=f"{place.key}@{place.fingerprint}",
                )
            )
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(after, sort_keys=True))


def compared(entry: str | None, now: str) -> tuple[str, bool]:
    """The new cursor entry (`collected` or `collected>arriving`) and whether to collect now."""
    if entry is None:
        return now, False  # the first collection of an author or a source is not this sensor's
    collected, _, arriving = entry.partition(">")
    if now == collected:
        return now, False
    return (now, True) if now == arriving else (f"{collected}>{now}", False)


@dataclass(frozen=True, slots=True)
class _Place:
    """What one author has on this disk for one platform."""

    author: str
    platform: str
    fingerprint: str

    @property
    def key(self) -> str:
        return f"{self.author}/{self.platform}"


def _places(settings: Settings, environment: Environment) -> Iterator[_Place]:
    for key, author in settings.authors.items():
        for platform, prints in _prints(key, author, environment).items():
            yield _Place(key, platform, digest(prints)[:16])


def _prints(key: str, author: Author, environment: Environment) -> Mapping[str, list[str]]:
    """Fingerprints of an author's local paths, by platform; a source with wrong options has none."""
    prints: dict[str, list[str]] = {}
    for index, source in enumerate(author.sources):
        try:
            _, options = options_of(key, index, source, environment.config.parent)
        except ConfigurationError:
            continue  # register_authors says what is wrong with it
        for path in paths_of(options).values():
            prints.setdefault(source.platform, []).append(fingerprint_of(path))
    return prints


def _cursor(text: str | None) -> Cursor:
    """The cursor as it was written; empty where there is none, or one of an earlier version."""
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return {str(key): str(each) for key, each in value.items()} if isinstance(value, dict) else {}
