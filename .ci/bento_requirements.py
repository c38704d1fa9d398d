"""Write bentos/requirements.txt: what bentos/requirements.in draws in, at the versions of constraints.txt.

Read from the packages as installed, for the platform of the image: `.venv/bin/python .ci/bento_requirements.py`.
"""

import re
import sys
from collections.abc import Mapping
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "bentos" / "requirements.txt"
# What the image is: of packages for Windows or another Python nothing is wanted.
_IMAGE = {
    "python_version": "3.11", "python_full_version": "3.11.0", "implementation_name": "cpython",
    "platform_python_implementation": "CPython", "os_name": "posix", "sys_platform": "linux",
    "platform_system": "Linux", "platform_machine": "x86_64",
}  # fmt: skip


def lock(root: Path = ROOT) -> str:
    """The file's text; raises `KeyError` for a package that constraints.txt does not name."""
    pins = _pins((root / "constraints.txt").read_text(encoding="utf-8"))
    wanted = _lines((root / "bentos" / "requirements.in").read_text(encoding="utf-8"))
    names = sorted(_closure([Requirement(line) for line in wanted]))
    heading = "# Written by .ci/bento_requirements.py from requirements.in and ../constraints.txt.\n"
    return heading + "".join(f"{pins[name]}\n" for name in names)


def _closure(todo: list[Requirement]) -> set[str]:
    seen: set[tuple[str, str]] = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            found = (Requirement(line) for line in requires(name) or [])
            todo += [each for each in found if each.marker is None or each.marker.evaluate({**_IMAGE, "extra": extra})]
    # It comes with torch, which takes any; what it builds is not ours.
    return {name for name, _ in seen} - {"setuptools"}


def _pins(text: str) -> Mapping[str, str]:
    return {canonicalize_name(line.split("==")[0]): line for line in _lines(text)}


def _lines(text: str) -> list[str]:
    lines = [re.sub(r"\s*#.*", "", line).strip() for line in text.splitlines()]
    return [line for line in lines if line]


if __name__ == "__main__":
    LOCK.write_text(lock(), encoding="utf-8")
    sys.stdout.write(f"{LOCK}\n")
