"""Questions answered in a row on one release: `python -m bentos.batch`, a line of JSON each way.

First comes the release's record, then a question a line until the input ends. Each answer is written as soon as it and
those before it are there. On stderr stands why the release cannot be opened; then the exit code is 1.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from obstore.exceptions import BaseError

from bentos.configuration import service_settings
from bentos.releases import ReleaseOpener
from llm_twin_assets.domain.pause import is_paused, pause_path
from llm_twin_assets.domain.release import Release
from llm_twin_assets.inference.batch import BatchAnswer, BatchFailure, BatchQuestion, batch_answers
from llm_twin_assets.inference.opening import limits_of
from resources.errors import StorageError, TwinError
from resources.object_store import ObjectStore
from resources.settings import Environment


def answers(lines: Iterable[str], environment: Environment) -> Iterator[BatchAnswer | BatchFailure]:
    """What the release of the first line answers to the questions of the others; raises `TwinError`."""
    first, *others = lines
    settings = service_settings(environment)
    twin = ReleaseOpener(environment, settings).open(Release.model_validate_json(first)).twin
    questions = [BatchQuestion.model_validate_json(line) for line in others]
    objects, serving = ObjectStore(environment.under("objects")), settings.serving
    yield from batch_answers(
        twin, questions, limits_of(serving), serving.batch, lambda: _is_paused(objects, twin.author)
    )


def _is_paused(objects: ObjectStore, author: str) -> bool:
    """Raises `StorageError` where nobody can say: a model that may be paused says nothing."""
    try:
        return is_paused(objects, author)
    except BaseError as error:
        raise StorageError("whether the twin is paused cannot be read", where=pause_path(author)) from error


def main() -> int:
    """Entry point."""
    try:
        with _own_output() as output:
            for each in answers(sys.stdin, Environment.current()):
                print(each.model_dump_json(), file=output, flush=True)
    except TwinError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except BrokenPipeError:  # whoever asked is gone
        return 1
    return 0


def _own_output() -> TextIO:
    """Standard output for us alone: what libraries print goes to stderr from now on."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


if __name__ == "__main__":
    sys.exit(main())
