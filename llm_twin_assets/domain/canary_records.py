"""Where it is kept which release is tried as a canary, what was seen of it, and that it has ended.

The release itself is a record of the chain like any other, with `canary.json` for a pointer. Whoever could write to the
objects here could end a canary, or bring one into service that a person had approved; nothing else is believed of them.
"""

from typing import Protocol

from llm_twin_assets.domain.canary import Ended, Figures, total
from llm_twin_assets.domain.chain import Reader, parse
from llm_twin_assets.domain.release import Release
from llm_twin_assets.domain.released import read_served, read_tried


class Store(Reader, Protocol):
    """Of an object store, what recording takes."""

    def put_new(self, path: str, content: bytes) -> bool:
        """Write an object that does not exist yet; False if it does."""
        ...

    def replace(self, path: str, content: bytes) -> None:
        """Write an object in one step."""
        ...


def running_canary(objects: Reader, author: str) -> Release | None:
    """The release that is tried now, None if there is none or its trial is over; raises `TamperedError`."""
    tried = read_tried(objects, author)
    if tried is None or tried.canary is None or ended(objects, tried) is not None:
        return None
    served = read_served(objects, author)
    return tried if served is not None and served.sequence < tried.sequence else None


def ended(objects: Reader, canary: Release) -> Ended | None:
    """How a canary ended, None if it was not ended."""
    path = _ended_path(canary)
    content = objects.find(path)
    return parse(Ended, path, content) if content is not None else None


def end(objects: Store, canary: Release, ending: Ended) -> bool:
    """Let a canary answer nobody any more; False if it was ended before, which then stands."""
    return objects.put_new(_ended_path(canary), _json(ending))


def put_figures(objects: Store, canary: Release, worker: str, figures: Figures) -> None:
    """Record what one process of the service has seen so far."""
    objects.replace(f"{_seen_prefix(canary)}/{worker}.json", _json(figures))


def read_figures(objects: Reader, canary: Release) -> Figures:
    """What all processes of the service have seen."""
    found = ((path, objects.find(path)) for path in objects.list(_seen_prefix(canary)))
    return total(parse(Figures, path, content) for path, content in found if content is not None)


def _prefix(canary: Release) -> str:
    return f"canaries/{canary.author}/{canary.release_id}"


def _ended_path(canary: Release) -> str:
    return f"{_prefix(canary)}/ended.json"


def _seen_prefix(canary: Release) -> str:
    return f"{_prefix(canary)}/seen"


def _json(record: Ended | Figures) -> bytes:
    return record.model_dump_json(indent=2).encode()
