"""A platform's archives on disk, over the years: which are new or changed, each read once, with the date of each.

A source names one archive (`export`) or a folder into which a person drops what the platform sends (`watch`). One
edition may come in several zips, hours apart; the newest edition says what still exists, older ones what once was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Notice, Quarantined, Remember
from llm_twin_assets.collection.reading.archive_stamp import contents_digest, made_at, stamp
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import Export, ExportError, open_export
from llm_twin_assets.collection.visit import Visit
from llm_twin_assets.domain.identity import Json, digest

# LinkedIn sends the small part of an edition within minutes and the large one within a day.
ONE_EDITION = timedelta(days=2)
MEMORY = "archives"
# Stands for `export` whatever its file is called this year; no file name has a colon in it on every system.
_EXPORT = "export:"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Archives:
    """Where a source's archives are and how one is read.

    `wanted` tells by its name whether a file in an archive is the connector's; an archive without such a file is left
    alone. `read` yields the documents of one archive, each with its `listing`, and `Listed(listing)` for every listing
    that the archive has; it raises `ExportError` if the archive cannot be used at all. `reading` is whatever else
    decides what comes out (options, version of the parser): when it changes, everything is read again.
    """

    wanted: Callable[[str], bool]
    read: Callable[[Export], Iterator[Collectable]]
    export: Path | None = None
    watch: Path | None = None
    reading: Json = None

    def visited(self, visit: Visit) -> Iterator[Collectable]:
        """Events of every archive that is new or changed since the last visit, oldest first; of the others none.

        Documents get the archive's own date as `as_of`, those of older editions a listing of their own. `Listed` comes
        only where the newest edition changed and every part of it was read without a fault. An unusable `export` raises
        `ExportError`; an unusable archive in the watch folder is quarantined and tried again at the next visit, so that
        a half-copied one waits until it is whole.
        """
        before = _Memory.of(visit.memory.get(MEMORY), digest(self.reading))
        archives, broken = self._found(before, visit.now)
        yield from broken
        if self.watch and not broken and not any(archive.relevant for archive in archives):
            yield Notice(f"{self.watch} holds no archive of this platform yet")
        edition = _Edition.newest(archives, faulty=bool(broken))
        unread: set[str] = set()
        for archive in sorted(archives, key=lambda each: (each.as_of, each.key)):
            try:
                yield from self._read(archive, edition)
            except ExportError as error:
                if archive.key == _EXPORT:
                    raise
                edition.faulty = True
                unread.add(archive.key)
                yield _quarantined(archive.path, error)
        listed = edition.listed(since=before.listed)
        yield from listed
        after = _Memory(
            {archive.key: archive for archive in archives if archive.key not in unread},
            digest(self.reading),
            edition.as_of if listed else before.listed,
        )
        if after.json() != visit.memory.get(MEMORY):
            yield Remember(MEMORY, after.json())

    def _read(self, archive: "_Archive", edition: "_Edition") -> Iterator[Collectable]:
        current = archive in edition.archives
        if not archive.relevant or not (archive.changed or (current and edition.changed)):
            return
        with open_export(archive.path) as export:
            for event in self.read(export):
                if isinstance(event, Found):
                    listing = event.listing if current else f"{event.listing} {archive.as_of:%Y-%m-%d}".lstrip()
                    yield replace(event, as_of=archive.as_of, listing=listing)
                    continue
                if current:
                    edition.note(event)
                if not isinstance(event, Listed):
                    yield event

    def _found(self, before: "_Memory", now: datetime) -> "tuple[list[_Archive], list[Quarantined]]":
        archives: dict[str, _Archive] = {}
        broken: list[Quarantined] = []
        for key, path in self._paths():
            try:
                archive = self._archive(key, path, before, now)
            except ExportError as error:
                if key == _EXPORT:
                    raise
                broken.append(_quarantined(path, error))
            else:
                # `export (1).zip` beside `export.zip` is one archive.
                archives.setdefault(archive.contents if archive.relevant else key, archive)
        return list(archives.values()), broken

    def _paths(self) -> Iterator[tuple[str, Path]]:
        if self.export:
            yield _EXPORT, self.export
        if not self.watch:
            return
        if not self.watch.is_dir():
            raise ExportError(
                "there is no such folder", where=str(self.watch), mend="Make it, or mend `watch` in twin.yaml."
            )
        for path in sorted(self.watch.iterdir()):
            # A download that goes on has another suffix (.part, .crdownload); some browsers unpack what they saved.
            usable = path.is_dir() or path.suffix.lower() == ".zip"
            if usable and not path.name.startswith(".") and not path.is_symlink() and path != self.export:
                yield ascii(path.name)[1:-1], path  # a name need not be Unicode, the memory has to be

    def _archive(self, key: str, path: Path, before: "_Memory", now: datetime) -> "_Archive":
        seen = stamp(path)
        same_reading = before.reading == digest(self.reading)
        known = before.archives.get(key)
        if known and known.stamp == seen and same_reading:
            return replace(known, path=path)
        with open_export(path) as export:
            names = [name for name in export.names() if self.wanted(name)]
            contents = contents_digest(export, names)
            as_of = min(made_at(export, names), now)
        # An export without its files is an error, which the reader words; in a watch folder it is something else's.
        relevant = bool(names) or key == _EXPORT
        new = contents not in before.contents
        return _Archive(key, seen, contents, as_of, relevant, path=path, new=new, changed=new or not same_reading)


@dataclass(frozen=True, slots=True)
class _Archive:
    """One archive; `stamp` is cheap to know and changes when `contents` do."""

    key: str
    stamp: str
    contents: str
    as_of: datetime
    relevant: bool
    path: Path = field(default=Path(), compare=False)
    new: bool = field(default=False, compare=False)
    changed: bool = field(default=False, compare=False)

    def json(self) -> dict[str, Json]:
        return {
            "stamp": self.stamp,
            "contents": self.contents,
            "as_of": self.as_of.isoformat(),
            "relevant": self.relevant,
        }


@dataclass
class _Edition:
    """The archives of the newest edition, and what was read of them."""

    archives: list[_Archive]
    as_of: datetime
    faulty: bool
    ended: set[str] = field(default_factory=set)

    @classmethod
    def newest(cls, archives: Sequence[_Archive], *, faulty: bool) -> "_Edition":
        relevant = [archive for archive in archives if archive.relevant]
        as_of = max((archive.as_of for archive in relevant), default=_LONG_AGO)
        return cls([archive for archive in relevant if archive.as_of > as_of - ONE_EDITION], as_of, faulty)

    @property
    def changed(self) -> bool:
        return any(archive.changed for archive in self.archives)

    def note(self, event: Collectable) -> None:
        if isinstance(event, Listed):
            self.ended.add(event.listing)
        elif isinstance(event, Quarantined):
            self.faulty = True

    def listed(self, since: datetime) -> list[Listed]:
        """The listings of which this edition is a new sighting; an older edition that turns up late is none."""
        if self.faulty or self.as_of < since or not any(archive.new for archive in self.archives):
            return []
        return [Listed(listing) for listing in sorted(self.ended)]


@dataclass(frozen=True)
class _Memory:
    """What the last visit saw: archives by key, how they were read, the date of the newest edition that was listed."""

    archives: Mapping[str, _Archive]
    reading: str
    listed: datetime

    @classmethod
    def of(cls, value: Json, reading: str) -> "_Memory":
        stored = value if isinstance(value, Mapping) else {"reading": reading}
        archives = stored.get("archives")
        known = [
            _Archive(key, str(each.get("stamp")), str(each.get("contents")), as_of, bool(each.get("relevant")))
            for key, each in (archives.items() if isinstance(archives, Mapping) else ())
            if isinstance(each, Mapping) and (as_of := utc(each.get("as_of")))
        ]
        return cls(
            {archive.key: archive for archive in known},
            str(stored.get("reading")),
            utc(stored.get("listed")) or _LONG_AGO,
        )

    @property
    def contents(self) -> set[str]:
        return {archive.contents for archive in self.archives.values()}

    def json(self) -> dict[str, Json]:
        return {
            "archives": {key: archive.json() for key, archive in sorted(self.archives.items())},
            "reading": self.reading,
            "listed": self.listed.isoformat(),
        }


def _quarantined(path: Path, error: ExportError) -> Quarantined:
    return Quarantined(error.where or str(path), f"{error.what}. {error.mend or ''}".rstrip())
