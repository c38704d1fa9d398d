"""One question to a release before it serves, through all of the service: `python -m bentos.smoke < release.json`.

Says in a line what the answer was, or on stderr why the release must not serve; then the exit code is 1.
"""

import sys
import time
from collections.abc import Iterable

from bentos.api import create_app, open_up
from bentos.configuration import service_settings
from bentos.desk import Desk
from bentos.follower import ReleaseFollower
from bentos.releases import ReleaseOpener
from bentos.schemas import AnswerResponse, CitationOut
from llm_twin_assets.domain.release import Release
from resources.errors import TwinError
from resources.object_store import ObjectStore
from resources.settings import Environment
from resources.tracing import NoTracer
from resources.vector_store import Index
from resources.vector_stores import vector_store

# The ordinal of a chunk that no document has.
_ALL = 2**31 - 1


class SmokeError(TwinError):
    """A release that opens and does not answer as it should."""


def smoke_test(record: Release, environment: Environment) -> str:
    """Open the release as the service does, ask it about one of its own documents, follow the citations.

    Raises `TwinError` if any of it fails.
    """
    began = time.monotonic()
    settings = service_settings(environment)
    opener = ReleaseOpener(environment, settings)
    follower = ReleaseFollower(ObjectStore(environment.under("objects")), opener.open, warm=False)
    follower.serve(record)
    index = vector_store(environment.under("embedded")).open(record.author, record.snapshot)
    given = _ask(Desk(follower, settings.serving, NoTracer()), record, _question(index))
    _check(given, record, index, has_model=follower.current[record.author].twin.engine is not None)
    marks = "1 citation" if len(given.citations) == 1 else f"{len(given.citations)} citations"
    return f"{given.outcome} with {marks} in {time.monotonic() - began:.1f} s"


def _ask(desk: Desk, record: Release, question: str) -> AnswerResponse:
    """Over the HTTP interface, without a port."""
    from fastapi.testclient import TestClient

    app = create_app()
    open_up(app, desk)
    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.post("/v1/answer", json={"question": question, "author": record.author})
    if response.status_code != 200:
        raise SmokeError(f"asked '{question}' it says {response.status_code}: {response.text[:300]}")
    return AnswerResponse.model_validate_json(response.content)


def _question(index: Index) -> str:
    """About something that the author has certainly written on: the first title there is."""
    titles = sorted({str(title) for title in index.rows(["title"])["title"].to_pylist() if title})
    return f"What did you write about: {titles[0][:300]}?" if titles else "What do you write about?"


def _check(given: AnswerResponse, record: Release, index: Index, *, has_model: bool) -> None:
    if (given.release, given.snapshot) != (record.release_id, record.snapshot):
        raise SmokeError(f"it answers from {given.release} and {given.snapshot}")
    if has_model and not given.usage.prompt_tokens:
        raise SmokeError(f"its model does not answer: {given.reason}")
    if not given.answer.strip() or not given.citations:
        raise SmokeError(f"it answers without a citation ({given.outcome}): {given.reason or given.answer[:200]}")
    for each in given.citations:
        if not _stands(each, index.neighbours(each.document_id, 0, _ALL)):
            raise SmokeError(f"what it cites as [{each.marker}] does not stand at its place in {each.document_id}")


def _stands(citation: CitationOut, chunks: Iterable[dict[str, object]]) -> bool:
    """Whether a quotation is what the snapshot holds from its start to its end, as far as chunks cover it."""
    known: dict[int, str] = {}
    for chunk in chunks:
        known |= dict(enumerate(str(chunk["text"]), int(str(chunk["start"]))))
    places = range(citation.start, citation.end)
    found = [(known[at], character) for at, character in zip(places, citation.quote, strict=False) if at in known]
    return len(citation.quote) == len(places) and bool(found) and all(ours == theirs for ours, theirs in found)


def main() -> int:
    """Entry point."""
    try:
        said = smoke_test(Release.model_validate_json(sys.stdin.read()), Environment.current())
    except TwinError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(said)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
