"""Look into the wheel and the sdist of a folder: is all there that a user needs, and nothing that is none of theirs?

`python .ci/check_package.py dist [--tag v0.2.0]`; the standard library is enough for it.
"""

import argparse
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

PACKAGES = ("llm_twin_assets", "resources", "bentos")
# Files that are no Python and without which an installation does not do its work.
NEEDED = (
    "llm_twin_assets/training/tiny_llama/model/model.safetensors",
    "llm_twin_assets/training/tiny_llama/model/tokenizer.json",
    "llm_twin_assets/sample/exports/*",
    "bentos/bentofile.yaml",
    "bentos/requirements.txt",
)
OF_THE_SOURCE = ("pyproject.toml", "constraints.txt", "LICENSE", "README.md", "Makefile", "Procfile", "twin.yaml")
UNWANTED = ("*llm_twin_assets_tests/*", "*/__pycache__/*", "*.pyc", "*.twin/*", "*.env", "*.venv/*")
# PyPI takes no file above 100 MB; sample and shipped base are 20.
MOST = 50_000_000


def faults(folder: Path, tag: str | None = None) -> list[str]:
    """What is wrong with the distributions of a folder, in words; none if all is well."""
    wheels, sources = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if (len(wheels), len(sources)) != (1, 1):
        return [f"{folder} holds {len(wheels)} wheels and {len(sources)} sdists, not one of each"]
    wheel, source = wheels[0], sources[0]
    version = wheel.name.split("-")[1]
    found = _faults_of_wheel(wheel) + _faults_of_source(source, f"llm_twin-{version}")
    found += [f"{file.name} is {file.stat().st_size:,} bytes" for file in (wheel, source) if file.stat().st_size > MOST]
    if tag is not None and tag != f"v{version}":
        found.append(f"tag {tag} is not version {version} of pyproject.toml")
    return found


def _faults_of_wheel(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    foreign = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")} - {*PACKAGES}
    found = [f"{wheel.name} holds {name}, which is no package of ours" for name in sorted(foreign)]
    found += [f"{wheel.name} lacks {pattern}" for pattern in NEEDED if not _matching(names, [pattern])]
    found += [f"{wheel.name} has no licence"] if not _matching(names, ["*.dist-info/licenses/LICENSE"]) else []
    return found + [f"{wheel.name} holds {name}" for name in _matching(names, UNWANTED)]


def _faults_of_source(source: Path, root: str) -> list[str]:
    with tarfile.open(source) as archive:
        names = archive.getnames()
    wanted = [f"{root}/{name}" for name in (*OF_THE_SOURCE, *NEEDED)]
    unwanted = [pattern for pattern in UNWANTED if "tests" not in pattern]  # whoever packages it wants to test it
    lacking = [f"{source.name} lacks {pattern}" for pattern in wanted if not _matching(names, [pattern])]
    return lacking + [f"{source.name} holds {name}" for name in _matching(names, unwanted)]


def _matching(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def main() -> int:
    """Entry point: 1 and a line for each fault, or 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tag", help="the git tag that is published: v and the version")
    given = parser.parse_args()
    found = faults(given.folder, given.tag)
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
