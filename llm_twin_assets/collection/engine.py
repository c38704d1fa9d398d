"""One source to raw documents: its options checked, its parts read, scrubbed, identified, hashed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from llm_twin_assets.collection.connector import Connector, Found, Quarantined, SourceOptions
from llm_twin_assets.collection.connectors import connector
from llm_twin_assets.collection.export import ExportError
from llm_twin_assets.collection.scrub import scrub
from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from resources.errors import ConfigurationError
from resources.settings import Author, Settings, Source
from resources.yaml_source import Location, YamlSource


@dataclass(frozen=True, slots=True)
class Collected:
    """What one source gave: documents (one per id), what could not be read, and what was scrubbed, by kind."""

    documents: tuple[RawDocument, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    scrubbed: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    dated_by: Counter[str] = field(default_factory=Counter)


class OptionsError(ConfigurationError):
    """A source's options do not fit its connector; `located` says the line where `twin.yaml` is at hand."""

    def __init__(self, author: str, index: int, error: ValidationError, known: Sequence[str]) -> None:
        self._location: Location = ("authors", author, "sources", index)
        self._error = error
        self._known = known
        said = self.located(YamlSource(Path("twin.yaml"), None, {}))
        super().__init__(said.what, where="twin.yaml", mend=said.mend)

    def located(self, yaml: YamlSource) -> ConfigurationError:
        """The same error with file and line."""
        return yaml.configuration_error(self._error, self._known, self._location)


class SourceUnreadableError(ExportError):
    """A source of which no document could be had; says what was quarantined on the way."""

    def __init__(self, source: str, quarantined: Sequence[Quarantined]) -> None:
        self.quarantined = tuple(quarantined)
        if not quarantined:
            super().__init__(
                "holds nothing published", where=source, mend="Check that it is the right one, or remove the source."
            )
            return
        first = quarantined[0]
        super().__init__(
            f"none of its {len(quarantined)} documents can be read; the first: {first.reason}", where=first.where
        )


def options_of(author: str, index: int, source: Source, base: Path) -> tuple[Connector[SourceOptions], SourceOptions]:
    """A source's connector and its checked options; relative paths start at `base`, the folder of `twin.yaml`."""
    found = connector(source.platform)
    try:
        return found, found.options.model_validate(source.options, context={"base": base})
    except ValidationError as error:
        raise OptionsError(author, index, error, ["platform", *found.options.model_fields]) from None


def findings(settings: Settings, yaml: YamlSource, *, paths: bool = False) -> Iterator[ConfigurationError]:
    """Everything that is wrong with the sources in `twin.yaml`, with file and line; `paths` asks the disk, too."""
    for key, author in settings.authors.items():
        yield from author_findings(key, author, yaml, paths=paths)


def author_findings(key: str, author: Author, yaml: YamlSource, *, paths: bool = False) -> Iterator[ConfigurationError]:
    """Everything that is wrong with the sources of one author."""
    for index, source in enumerate(author.sources):
        location: Location = ("authors", key, "sources", index)
        try:
            _, options = options_of(key, index, source, yaml.path.parent)
        except OptionsError as error:
            yield error.located(yaml)
        except ConfigurationError as error:
            yield ConfigurationError(error.what, where=yaml.where((*location, "platform")), mend=error.mend)
        else:
            if paths:
                yield from _missing_paths(options, yaml, location)


def check_sources(settings: Settings, yaml: YamlSource, *, paths: bool = False) -> None:
    """Raises the first of `findings`."""
    for finding in findings(settings, yaml, paths=paths):
        raise finding


def collect_source(
    author: str, index: int, source: Source, *, scrub_kinds: Sequence[str], now: datetime, base: Path
) -> Collected:
    """Read one source, the `index`-th of its author; raises a `TwinError` if it is unusable."""
    found, options = options_of(author, index, source, base)
    documents: dict[str, RawDocument] = {}
    quarantined: list[Quarantined] = []
    scrubbed: Counter[str] = Counter()
    dated_by: Counter[str] = Counter()
    read = 0
    for item in found.collect(options):
        if isinstance(item, Quarantined):
            quarantined.append(item)
            continue
        if reason := _unstorable(item):
            quarantined.append(reason)
            continue
        document, counts = _document(author, found.platform, item, scrub_kinds, now)
        documents[document.document_id] = document
        scrubbed += counts
        dated_by[item.dated_by] += 1
        read += 1
    if not documents:
        raise SourceUnreadableError(_shown(options), quarantined)
    return Collected(tuple(documents.values()), tuple(quarantined), scrubbed, read - len(documents), dated_by)


def _document(
    author: str, platform: str, item: Found, scrub_kinds: Sequence[str], now: datetime
) -> tuple[RawDocument, Counter[str]]:
    content = scrub(item.content, scrub_kinds)
    title = scrub(item.title, scrub_kinds) if item.title else None
    # The metadata counts as content: a page that gets its address later must reach the warehouse. An mtime does not: it
    # differs from one checkout to the next.
    dated = item.published_at.isoformat() if item.published_at and item.dated_by != "mtime" else None
    document = RawDocument(
        document_id=document_id(author, item.stable_id),
        author=author,
        platform=platform,
        category=item.category,
        url=item.url,
        title=title.text if title else None,
        content=content.text,
        media_type=item.media_type,
        published_at=item.published_at,
        code_language=item.code_language,
        repository=item.repository,
        path=item.path,
        content_hash=content_hash(
            content.text, title.text if title else None, item.url, dated, item.media_type, item.repository, item.path
        ),
        collected_at=now,
    )
    return document, content.counts + (title.counts if title else Counter())


def _unstorable(item: Found) -> Quarantined | None:
    """File names need not be UTF-8 and YAML can write half a surrogate pair; neither can be stored or hashed."""
    said = "\n".join(filter(None, (item.stable_id, item.title, item.content, item.url, item.path)))
    try:
        said.encode()
    except UnicodeEncodeError:
        return Quarantined(repr(item.stable_id), "has a name or text that is not Unicode. Rename or mend it.")
    return None


def _shown(options: SourceOptions) -> str:
    return ", ".join(str(value) for value in _paths(options).values())


def _paths(options: SourceOptions) -> dict[str, Path]:
    return {key: value for key, value in options if isinstance(value, Path)}


def _missing_paths(options: SourceOptions, yaml: YamlSource, location: Location) -> Iterator[ConfigurationError]:
    for key, path in _paths(options).items():
        if not path.exists():
            yield ConfigurationError(
                f"{key}: there is no {path}",
                where=yaml.where((*location, key)),
                mend="Mend the path (a relative one starts at the folder of twin.yaml).",
            )
