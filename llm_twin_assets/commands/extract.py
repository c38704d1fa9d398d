"""`twin extract`: HTML files to Markdown."""

import gc
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from llm_twin_assets.commands.console import PROGRESS
from llm_twin_assets.features.extract import Backend, Extracted, extract, without_title
from resources.errors import TwinError
from resources.http.charset import text_of

_SILENT_SECONDS = 2.0


def extract_files(files: Sequence[Path], url: str | None, backend: Backend, *, as_json: bool) -> int:
    """Print each file's Markdown, or one JSON object a line with its metadata too; how many files failed.

    A file that cannot be read or has no text is said on stderr, and the others go on.
    """
    failed = 0
    gc.freeze()  # what was loaded until now stays: collecting garbage of many pages need not look at it
    started = time.monotonic()
    for number, file in enumerate(files, start=1):
        try:
            _show(file, extract(_read(file), url, backend), as_json=as_json)
        except TwinError as error:
            failed += 1
            said = error if error.where else TwinError(error.what, where=str(file), mend=error.mend)
            PROGRESS.print(f"error: {said}", style="red", markup=False)
        if PROGRESS.is_terminal and time.monotonic() - started > _SILENT_SECONDS:
            PROGRESS.print(f"{number} of {len(files)}", end="\n" if number == len(files) else "\r")
    return failed


def _show(file: Path, extracted: Extracted, *, as_json: bool) -> None:
    if as_json:
        published = extracted.published_at and extracted.published_at.isoformat()
        line = {"file": str(file), **asdict(extracted), "published_at": published}
        print(json.dumps(line, ensure_ascii=False))  # noqa: T201
        return
    # Not by rich: it would take tabs and `:names:` out of code.
    title = extracted.title or file.name
    print(f"# {title}\n\n{without_title(extracted.markdown, title)}")  # noqa: T201


def _read(file: Path) -> str:
    try:
        return text_of(file.read_bytes(), "")
    except OSError as error:
        raise TwinError(f"cannot be read: {error.strerror}", where=str(file)) from error
