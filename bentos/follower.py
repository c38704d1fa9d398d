"""Following the release pointers: a new release is opened beside the old one, then one reference is swapped."""

import logging
import threading
import time
from collections.abc import Callable

from bentos.releases import Released, ReleaseRefusedError, parts, where
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import read_releases, read_served
from resources.errors import TwinError
from resources.object_store import ObjectStore

_logger = logging.getLogger(__name__)

_POINTER = "/current.json"


class ReleaseFollower:
    """Polls every author's pointer in a thread of its own. What it cannot open leaves the old release serving.

    Nor does it serve what the records of approval and release do not bear out. With `warm` the release before is kept
    open, at the cost of its memory, so that a roll-back to it takes no loading.
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
        self._retry = retry
        self._seen: dict[str, bytes] = {}
        self._failed_at: dict[str, float] = {}
        self._current: dict[str, Released] = {}
        self._keeps_warm = warm
        self._before: dict[str, Released] = {}
        self._warmed: set[str] = set()
        self._polled = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="release-follower", daemon=True)

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
        return frozenset(self._seen)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; what is open stays open."""
        self._stop.set()
        self._thread.join(timeout=5)

    def poll(self) -> None:
        """Look at every pointer once and open what is new."""
        paths = [path for path in self._objects.list("releases") if path.endswith(_POINTER)]
        for path in paths:
            self._look_at(path)
        self._polled = True

    def warm_up(self) -> None:
        """Open, once and if it can be, the release before each that serves: after a start none is open yet."""
        for author, served in self._current.items() if self._keeps_warm else ():
            if author in self._before or author in self._warmed:
                continue
            self._warmed.add(author)
            try:
                past = [each for each in read_releases(self._objects, author) if parts(each) != served.parts]
                if past:
                    self._before[author] = self._open(past[-1])
                    _logger.info("release %s of %s is kept open", past[-1].release_id, author)
            except TwinError as error:  # it serves nobody now
                _logger.warning("the release before that of %s cannot be kept open: %s", author, error)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self.poll()
                self.warm_up()
            except Exception:  # the thread must outlive whatever a store raises
                _logger.exception("the release pointers cannot be read; what is served stays")
            self._stop.wait(self._every)

    def _look_at(self, path: str) -> None:
        author = path.split("/")[-2]
        pointer = self._objects.find(path)
        if pointer is None or (pointer == self._seen.get(author) and not self._due_again(author)):
            return
        self._seen[author] = pointer
        self._failed_at.pop(author, None)
        try:
            if record := read_served(self._objects, author):
                self.serve(record)
        except Exception as error:  # whatever is wrong with a release, the old one goes on serving
            self._failed_at[author] = time.monotonic()
            traced = None if isinstance(error, TwinError) else error
            _logger.error("a release of %s is not served: %s", author, error, exc_info=traced)

    def _due_again(self, author: str) -> bool:
        failed_at = self._failed_at.get(author)
        return failed_at is not None and time.monotonic() - failed_at >= self._retry

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

    def _opened(self, record: Release) -> Released:
        for known in (self._current.get(record.author), self._before.get(record.author)):
            if known and known.parts == parts(record):
                return known.renamed(record)
        # Three models at a time are too many.
        self._before.pop(record.author, None)
        return self._open(record)
