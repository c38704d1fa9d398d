"""Collects technical English from the docstrings and documentation files of permissively licensed packages."""

from __future__ import annotations

import ast
import hashlib
import platform
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from typing import cast

from llm_twin_assets.training.tiny_llama.licences import permissive_licence
from llm_twin_assets.training.tiny_llama.prose import clean, digest, is_prose, without_repeats

# The base must know nothing of this project or of the authors it will be tuned on, else every before/after lies.
OWN_NAMES = frozenset({"llm_twin_assets", "llm_twin_assets_tests", "resources", "bentos", "llm-twin", "llm_twin"})
SKIPPED_FOLDERS = frozenset(
    [
        *("corpora", "test", "tests", "testing", "idle_test", "licenses", "site-packages", "dist-packages"),
        *("_vendor", "vendor", "vendored", "third_party", "thirdparty", "extern", "externals", "node_modules"),
    ]
)
SKIPPED_STEMS = ("licen", "copying", "notice", "change", "history", "news", "author", "contributors", "requirements")
VALIDATION_PERCENT = 1


@dataclass(frozen=True)
class Document:
    """One docstring or documentation page; `name` is its dotted name or its file."""

    package: str
    kind: str  # module | class | function | page
    name: str
    text: str


@dataclass(frozen=True)
class Source:
    """What one package gave, for the attribution list."""

    package: str
    version: str
    licence: str
    documents: int
    bytes: int


@dataclass(frozen=True)
class Corpus:
    """Training and validation documents in their final order, and where they come from."""

    train: tuple[Document, ...]
    validation: tuple[Document, ...]
    sources: tuple[Source, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the names and texts, in order."""
        joined = hashlib.sha256()
        for document in (*self.train, *self.validation):
            joined.update(hashlib.sha256(f"{document.name}\0{document.text}".encode()).digest())
        return joined.hexdigest()

    @property
    def bytes(self) -> int:
        """Size of all texts in UTF-8."""
        return sum(source.bytes for source in self.sources)


@dataclass(frozen=True)
class Package:
    """An installed package before reading: where its files are, and under which licence."""

    name: str
    version: str
    licence: str
    root: Path
    files: tuple[PurePosixPath, ...]
    description: str


def collect(seed: int, search_path: Sequence[str] | None = None, standard_library: bool = True) -> Corpus:
    """The corpus of everything installed on `search_path` (default: this interpreter's), in an order set by `seed`."""
    packages = [_standard_library()] if standard_library else []
    packages += _permissive_packages(list(sys.path) if search_path is None else list(search_path))
    documents: list[Document] = []
    sources: list[Source] = []
    seen: set[bytes] = set()
    for package in packages:
        kept = list(_distinct(_documents(package), seen))
        size = sum(len(document.text.encode()) for document in kept)
        if kept:
            sources.append(Source(package.name, package.version, package.licence, len(kept), size))
        documents += kept
    ordered = sorted(documents, key=lambda document: _rank(seed, document))
    held_out = [document for document in ordered if _rank(seed, document) % 100 < VALIDATION_PERCENT]
    training = [document for document in ordered if _rank(seed, document) % 100 >= VALIDATION_PERCENT]
    return Corpus(tuple(training), tuple(held_out), tuple(sources))


def _rank(seed: int, document: Document) -> int:
    """A place in the order that depends on the seed and the text alone, not on what else is installed."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{document.text}".encode()).digest()[:8], "big")


def _standard_library() -> Package:
    root = Path(sysconfig.get_paths()["stdlib"])
    files = tuple(sorted(PurePosixPath(path.relative_to(root).as_posix()) for path in root.rglob("*.py")))
    return Package("python", platform.python_version(), "PSF-2.0", root, files, "")


def _permissive_packages(search_path: list[str]) -> list[Package]:
    found: dict[str, Package] = {}
    for distribution in distributions(path=search_path):
        name = distribution.metadata["Name"] or ""
        licence = permissive_licence(cast("Message", distribution.metadata))
        if not name or name.lower() in OWN_NAMES or licence is None or name.lower() in found:
            continue
        files = tuple(sorted(PurePosixPath(str(path)) for path in distribution.files or []))
        root = Path(str(distribution.locate_file("")))
        found[name.lower()] = Package(name, distribution.version, licence, root, files, _description(distribution))
    return [found[name] for name in sorted(found)]


def _description(distribution: Distribution) -> str:
    metadata = cast("Message", distribution.metadata)
    return metadata.get("Description") or str(metadata.get_payload() or "")


def _distinct(documents: Iterator[Document], seen: set[bytes]) -> Iterator[Document]:
    """The documents that are prose after cleaning and after dropping what an earlier document already said."""
    for document in documents:
        text = clean(document.text)
        key = digest(text)
        if key in seen or not is_prose(text):
            continue
        text = without_repeats(text, seen)
        seen.add(key)
        if is_prose(text):
            yield Document(document.package, document.kind, document.name, text)


def _documents(package: Package) -> Iterator[Document]:
    if package.description:
        yield Document(package.name, "page", package.name, package.description)
    for file in package.files:
        if not _wanted(file):
            continue
        path = package.root / file
        if file.suffix == ".py":
            yield from _docstrings(package, file, _read(path))
        elif file.suffix in {".md", ".rst"} or (file.suffix == ".txt" and file.stem.lower().startswith("readme")):
            yield Document(package.name, "page", file.as_posix(), _read(path))


def _wanted(file: PurePosixPath) -> bool:
    folders = file.parts[:-1]
    if ".." in folders or file.is_absolute() or (folders and folders[0] in OWN_NAMES) or file.stem in OWN_NAMES:
        return False
    if any(folder.lower() in SKIPPED_FOLDERS for folder in folders):
        return False
    return file.suffix == ".py" or not file.stem.lower().startswith(SKIPPED_STEMS)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # RECORD may name a file that is gone, or one in an old encoding
        return ""


def _docstrings(package: Package, file: PurePosixPath, source: str) -> Iterator[Document]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's strings
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):  # templates and Python 2 leftovers inside packages
        return
    module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    if module == "pydoc_data.topics":  # the language reference, as the text that `help()` shows
        yield from _language_reference(package, tree)
    yield from _node_docstrings(package, module, tree)


def _node_docstrings(package: Package, name: str, node: ast.AST) -> Iterator[Document]:
    kinds = {ast.Module: "module", ast.ClassDef: "class", ast.FunctionDef: "function", ast.AsyncFunctionDef: "function"}
    if type(node) in kinds:
        text = ast.get_docstring(node)  # type: ignore[arg-type]
        if text:
            yield Document(package.name, kinds[type(node)], name, text)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _node_docstrings(package, f"{name}.{child.name}", child)
        elif isinstance(child, (ast.If, ast.Try)):
            yield from _node_docstrings(package, name, child)


def _language_reference(package: Package, tree: ast.Module) -> Iterator[Document]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield Document(package.name, "page", f"Python: {key.value!s}", value.value)
