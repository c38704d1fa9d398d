"""`twin extract`: HTML files to Markdown."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.features.extract import extract
from resources.errors import TwinError


def extract_files(files: Sequence[Path], url: str | None, *, as_json: bool) -> None:
    """Print each file's Markdown, or one JSON object a line with its metadata too."""
    for file in files:
        extracted = extract(_read(file), url)
        if as_json:
            print(json.dumps({"file": str(file), **asdict(extracted)}, ensure_ascii=False, default=str))  # noqa: T201
            continue
        OUT.print(f"# {extracted.title or file.name}\n", markup=False)
        OUT.print(extracted.markdown, markup=False)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TwinError(
            f"is not UTF-8 (byte {error.start})", where=str(file), mend="Convert it: iconv -f latin1 -t utf-8."
        ) from None
