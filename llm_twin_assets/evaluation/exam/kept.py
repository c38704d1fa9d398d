"""Values that cost a model's time, kept on this machine: a run that was killed goes on behind the last one."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from llm_twin_assets.evaluation.measure import DocumentValue


def kept(file: Path, keys: Sequence[str], values: Callable[[Sequence[str]], Iterator[float]]) -> list[DocumentValue]:
    """A value for each key, in order: those in the file, and the others as `values` finds them, each written at once.

    The file belongs to one model and one set of questions.
    """
    known = dict(_read(file))
    left = [key for key in keys if key not in known]
    if left:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            for key, value in zip(left, values(left), strict=True):
                known[key] = value
                # A newline before as well: what was killed may have left half a line.
                lines.write(f"\n{json.dumps([key, value])}\n")
                lines.flush()
    return [DocumentValue(key, known[key]) for key in keys]


def _read(file: Path) -> Iterator[tuple[str, float]]:
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").split("\n"):
        try:
            key, value = json.loads(line)
        except ValueError:  # nothing, or half a line
            continue
        yield str(key), float(value)
