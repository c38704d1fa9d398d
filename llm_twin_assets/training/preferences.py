"""What the preference stage reads: pairs of a better and a worse answer, or answers with a thumb up or down."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.spec import TrainingSpec

PAIRS, THUMBS = "train.parquet", "thumbs.parquet"
_COLUMNS = {"dpo": ("prompt", "chosen", "rejected"), "kto": ("prompt", "completion", "label")}


@dataclass(frozen=True, slots=True)
class Preferences:
    """Rows of `prompt`, `chosen`, `rejected` (dpo) or of `prompt`, `completion`, `label` (kto), as plain text."""

    method: Literal["dpo", "kto"]
    rows: tuple[dict[str, object], ...]


def read_preferences(spec: TrainingSpec) -> Preferences | None:
    """What the plan's preference method is to learn from; None if it is to learn nothing, or `auto` finds nothing.

    Raises `TrainingError` if a method was named and there is nothing for it.
    """
    method, folder = spec.plan.preference_method, spec.preference_folder
    if method == "none":
        return None
    pairs = _read(folder / PAIRS, "dpo") if folder and method in ("auto", "dpo") else ()
    if pairs:
        return Preferences("dpo", pairs)
    thumbs = _read(folder / THUMBS, "kto") if folder and method in ("auto", "kto") else ()
    if thumbs:
        return Preferences("kto", thumbs)
    if method == "auto":
        return None
    raise TrainingError(
        f"there is nothing to train preferences on by {method}",
        where=str(folder or "no preference dataset"),
        mend="Set preference.enabled in twin.yaml, or training.preference.method: auto.",
        code=ExitCode.PREFERENCES,
    )


def _read(file: Path, method: str) -> tuple[dict[str, object], ...]:
    if not file.is_file():
        return ()
    columns = _COLUMNS[method]
    try:
        rows = pq.read_table(file, columns=list(columns)).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise TrainingError(
            f"is not a preferences file: {error}", where=str(file), code=ExitCode.PREFERENCES
        ) from error
    if rows and (missing := set(columns) - set(rows[0])):
        raise TrainingError(f"lacks the columns {sorted(missing)}", where=str(file), code=ExitCode.PREFERENCES)
    return tuple(rows)
