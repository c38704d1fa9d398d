"""Following the release pointers: a new release is opened beside the old one, then one reference is swapped."""

import logging
import threading
import time
from collections.abc import Callable, Set

from bentos.canary import Canaries
from bentos.pins import ReleaseRefusedError, where
from bentos.pointers import Pointers
from bentos.releases import Released, parts
from llm_twin_assets.domain.canary_records import ended
from llm_twin_assets.domain.pause import paused_authors
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import read_releases, read_served
from resources.errors import TwinError
from resources.object_store import ObjectStore

_logger = logging.getLogger(__name__)

_POINTER = "/current.json"


class ReleaseFollower:
    """Polls every author's pointer in a thread of its own. What it cannot open leaves the old release serving.

    Pauses are read in another: a twin that is paused must not go on until a release has found its model. Nor does it
    serve what the records of approval and release do not bear out. With `warm` the release before is kept open, at the
    cost of its memory, so that a roll-back to it takes no loading.
    """

    def __init__(
        self,
        objects: ObjectStore,
        open_release: Callable[[Release], Released],
        *,
        every: float = 1.0,
        retry: float = 30.0,
        warm: bool = True,
    ) -> None:
        self._objects = objects
        self._open = open_release
        self._every = every
        self._pointers = Pointers(retry)
        self._current: dict[str, Released] = {}
        self._keeps_warm = warm
        self._before: dict[str, Released] = {}
        self._warmed: set[str] = set()
        self._paused: frozenset[str] = frozenset()
        self._pauses = threading.Lock()
        self._polled = False
        self.canaries = Canaries(objects, self._open_canary, retry=retry)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work, failed), name=name, daemon=True)
            for name, work, failed in (
                ("release-follower", self._follow, "the release pointers cannot be read; what is served stays"),
                ("pause-follower", self._look_at_pauses, "the pauses cannot be read; what was known of them stays"),
            )
        ]

    @property
    def ready(self) -> bool:
        """Whether every pointer has been looked at and at least one release can answer."""
        return self._polled and bool(self._current)

    @property
    def current(self) -> dict[str, Released]:
        """The releases being served, by author. The dictionary is replaced, never changed: keep it for one request."""
        return self._current

    @property
    def known(self) -> frozenset[str]:
        """Authors that have a pointer, served or not."""
        return frozenset(self._pointers.known)

    @property
    def objects(self) -> ObjectStore:
        """Where pointers and records lie, and feedback is put down."""
        return self._objects

    @property
    def paused(self) -> frozenset[str]:
        """Authors whose twins only quote until somebody resumes them."""
        return self._paused

    def start(self) -> None:
        """Begin to follow."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop following; what is open stays open."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def poll(self) -> None:
        """Look at every pause and every pointer once and open what is new."""
        # First: of a service that starts, too, a twin that is paused must not answer.
        self._look_at_pauses()
        listed = frozenset(self._objects.list("releases"))
        paths = sorted(path for path in listed if path.endswith(_POINTER))
        for path in paths:
            self._look_at(path)
        self._let_go(self._pointers.known - {_author_of(path) for path in paths})
        self._polled = True
        self.canaries.poll(self._current, listed)

    def warm_up(self) -> None:
        """Open, once and if it can be, the release before each that serves: after a start none is open yet."""
        for author, served in self._current.items() if self._keeps_warm else ():
            if author in self._before or author in self._warmed or self.canaries.is_running(author):
                continue
            self._warmed.add(author)
            try:
                known = read_releases(self._objects, author)[: served.record.sequence]
                past = [each for each in known if parts(each) != served.parts and not self._was_only_tried(each)]
                if past:
                    self._before[author] = self._open(past[-1])
                    _logger.info("release %s of %s is kept open", past[-1].release_id, author)
            except TwinError as error:  # it serves nobody now
                _logger.warning("the release before that of %s cannot be kept open: %s", author, error)

    def _follow(self) -> None:
        self.poll()
        self.warm_up()

    def _repeat(self, work: Callable[[], None], failed: str) -> None:
        while not self._stop.is_set():
            try:
                work()
            except Exception:  # the thread must outlive whatever a store raises
                _logger.exception(failed)
            self._stop.wait(self._every)

    def _was_only_tried(self, release: Release) -> bool:
        return release.canary is not None and ended(self._objects, release) is not None

    def _look_at_pauses(self) -> None:
        with self._pauses:  # of two threads the one that has read last is right
            paused = frozenset(paused_authors(self._objects))
            for author in sorted(paused ^ self._paused):
                said = "is paused: it only quotes" if author in paused else "goes on"
                _logger.warning("the twin of %s %s", author, said)
            self._paused = paused

    def _look_at(self, path: str) -> None:
        author = _author_of(path)
        pointer = self._objects.find(path)
        if pointer is None or not self._pointers.due(author, pointer):
            return
        self._pointers.taken_up(author, pointer)
        try:
            if record := read_served(self._objects, author):
                self.serve(record)
        except Exception as error:  # whatever is wrong with a release, the old one goes on serving
            self._pointers.failed(author)
            traced = None if isinstance(error, TwinError) else error
            _logger.error("a release of %s is not served: %s", author, error, exc_info=traced)

    def _let_go(self, authors: Set[str]) -> None:
        """Serve these authors' twins no more: their pointers were taken away."""
        for author in sorted(authors):
            if self._objects.find(f"releases/{author}{_POINTER}") is not None:
                continue  # written between two looks
            self._current = {other: released for other, released in self._current.items() if other != author}
            self._pointers.forget(author)
            self._before.pop(author, None)
            self._warmed.discard(author)
            _logger.warning("the pointer of %s is gone: its twin answers no more", author)

    def serve(self, record: Release) -> None:
        """Open a release and swap it in; raises `TwinError` if it must not or cannot be served."""
        served = self._current.get(record.author)
        if served and served.record == record:
            return
        if served and record.sequence < served.record.sequence:
            raise ReleaseRefusedError(
                f"the pointer went back from {served.record.release_id}: somebody put an old one in its place",
                where=where(record),
                mend="A roll-back is a release of its own: `twin rollback`.",
            )
        began = time.monotonic()
        opened = self._opened(record)
        self._current = {**self._current, record.author: opened}
        if record.decision == "forget":
            # What was open before has a document in memory that nobody may find any more.
            self._before.pop(record.author, None)
        elif served and self._keeps_warm and served.parts != parts(record):
            self._before[record.author] = served
        seconds = time.monotonic() - began
        _logger.info("serving release %s of %s, opened in %.1f s", record.release_id, record.author, seconds)

    def _open_canary(self, record: Release) -> Released:
        # Three models at a time are too many; after the trial the release before is opened again.
        self._before.pop(record.author, None)
        self._warmed.discard(record.author)
        return self._open(record)

    def _opened(self, record: Release) -> Released:
        for known in (self._current.get(record.author), self._before.get(record.author), self.canaries.opened(record)):
            if known and known.parts == parts(record):
                return known.renamed(record)
        # Three models at a time are too many.
        self._before.pop(record.author, None)
        return self._open(record)


def _author_of(pointer: str) -> str:
    return pointer.split("/")[-2]
