"""How the commands speak: results on stdout, progress on stderr."""

import json
from collections.abc import Mapping, Sequence

from pydantic import BaseModel
from rich.console import Console

OUT = Console(highlight=False, soft_wrap=True)
PROGRESS = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: BaseModel | Mapping[str, object] | Sequence[object]) -> None:
    """One JSON value on stdout, for programs."""
    if isinstance(value, BaseModel):
        print(value.model_dump_json(indent=2))  # noqa: T201 -- rich would wrap and colour it
        return
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))  # noqa: T201
