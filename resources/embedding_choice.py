"""Which backend runs the model: the fastest here whose neighbours are those of torch in float32, measured once.

One is chosen for many texts, and one for a question alone.

A variant may be used for a model if, over the probe texts, the ten nearest neighbours of each text are on average at
least 98 % those that torch finds in float32. Vectors of such variants may stand in one index (docs/adr/0010).
"""

import hashlib
import importlib
import importlib.metadata
import inspect
import json
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from resources.embedding_backend import REFERENCE, Backend, Name, Precision, Variant, threads
from resources.errors import ConfigurationError, TwinError

MIN_OVERLAP = 0.98
_NEIGHBOURS = 10
_PROBES = 128
_TIMED = 16
_ROUNDS = 3
# What a service embeds, one at a time: which backend is best at many long texts says little of that. MiniLM, 2 cores:
# 44 texts a second by torch and 47 by ONNX Runtime, but 15 ms a question and 7.
_QUESTION = ("How are samples split into training and test sets without leaking?",)
_QUESTION_ROUNDS = 8
# Part of what a choice is remembered by: those made in another way are void.
_METHOD = 3

# Whose documentation the probe texts are: English and code, and on every machine that runs Python.
_MODULES = (
    "argparse", "ast", "bisect", "calendar", "collections", "contextlib", "csv", "datetime", "decimal", "difflib",
    "fnmatch", "fractions", "functools", "glob", "gzip", "heapq", "inspect", "itertools", "json", "locale", "logging",
    "math", "os", "pathlib", "pickle", "random", "re", "shutil", "socket", "sqlite3", "statistics", "string",
    "subprocess", "tarfile", "tempfile", "textwrap", "threading", "time", "typing", "uuid", "zipfile",
)  # fmt: skip


class Measured(BaseModel):
    """One variant: texts a second, milliseconds a question, its overlap with the reference if that was asked for."""

    model_config = ConfigDict(frozen=True)

    backend: Name
    precision: Precision
    texts_per_second: float
    question_ms: float
    overlap: float | None = None

    @property
    def variant(self) -> Variant:
        """Which one it is."""
        return Variant(self.backend, self.precision)


class Choice(BaseModel):
    """What was chosen for many texts and for one `question`, and from what."""

    model_config = ConfigDict(frozen=True)

    backend: Name
    precision: Precision
    measured: tuple[Measured, ...]
    question: Variant

    @property
    def variant(self) -> Variant:
        """The variant to use for many texts."""
        return Variant(self.backend, self.precision)


def probe_texts() -> list[str]:
    """Texts to measure on: short pieces of the standard library's documentation, longest first."""
    found: dict[str, None] = {}
    for name in _MODULES:
        module = importlib.import_module(name)
        members = [value for key, value in sorted(vars(module).items()) if not key.startswith("_") and callable(value)]
        texts = [text for each in members if (text := inspect.getdoc(each)) and len(text) > 80]
        found.update(dict.fromkeys(text[:400] for text in texts[:4]))
    return sorted(list(found)[:_PROBES], key=lambda text: (-len(text), text))


def overlap(vectors: NDArray[np.float32], reference: NDArray[np.float32], k: int = _NEIGHBOURS) -> float:
    """Mean share of each text's k nearest neighbours that two sets of vectors, shape (n, d), have in common.

    By direction alone, as an index compares them: an exported graph makes unit vectors, a model in torch need not.
    """
    ours, theirs = _nearest(vectors, k), _nearest(reference, k)
    return float(np.mean([len(set(one) & set(other)) / k for one, other in zip(ours, theirs, strict=True)]))


def machine_key(model: str, candidates: Sequence[Variant]) -> str:
    """Digest of all that may change the outcome: model, processor, threads, libraries, and what there is to choose."""
    versions = {name: _version(name) for name in ("torch", "onnxruntime", "openvino", "sentence-transformers")}
    asked = [str(each) for each in candidates]
    said = [_METHOD, model, _processor(), threads(), versions, platform.python_version(), asked]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def remembered(cache: Path, key: str) -> Choice | None:
    """What was chosen before; None if nothing, or nothing readable."""
    try:
        return Choice.model_validate_json(_file(cache, key).read_bytes())
    except (OSError, ValidationError):
        return None


def remember(cache: Path, key: str, choice: Choice) -> None:
    """Keep a choice; written in one step."""
    file = _file(cache, key)
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".part", delete=False, encoding="utf-8") as stream:
        stream.write(choice.model_dump_json(indent=2))
    Path(stream.name).replace(file)


def choose(
    candidates: Sequence[Variant],
    load: Callable[[Variant], Backend],
    clock: Callable[[], float] | None = None,
    texts: Sequence[str] | None = None,
) -> Choice:
    """Measure and choose; raises `ConfigurationError` if no candidate finds the reference's neighbours.

    A candidate that cannot be loaded or run here is none, unless it is the only one.
    """
    probes = list(probe_texts() if texts is None else texts)
    loaded = _loaded(candidates, load)
    if list(loaded) == [REFERENCE]:
        return Choice(backend="torch", precision="float32", measured=(), question=REFERENCE)
    clock = clock or _clock()
    many, one = probes[:: max(1, len(probes) // _TIMED)], _QUESTION
    speeds, waits = _seconds(loaded, many, clock, _ROUNDS), _seconds(loaded, one, clock, _QUESTION_ROUNDS)
    overlaps = _Overlaps(loaded, load, probes)
    for_many = overlaps.first_sound(sorted(loaded, key=speeds.__getitem__))
    question = overlaps.first_sound(sorted(loaded, key=waits.__getitem__))
    measured = tuple(
        Measured(
            backend=each.backend,
            precision=each.precision,
            texts_per_second=round(len(many) / max(speeds[each], 1e-9), 2),
            question_ms=round(1000 * waits[each], 2),
            overlap=overlaps.known.get(each),
        )
        for each in loaded
    )
    return Choice(backend=for_many.backend, precision=for_many.precision, measured=measured, question=question)


class _Overlaps:
    """Which variants find the reference's neighbours; looked for only of those that would be chosen."""

    def __init__(
        self, loaded: Mapping[Variant, Backend], load: Callable[[Variant], Backend], probes: Sequence[str]
    ) -> None:
        self._loaded, self._load, self._probes = loaded, load, probes
        self.known: dict[Variant, float] = {}

    def first_sound(self, variants: Sequence[Variant]) -> Variant:
        """The first that does; raises `ConfigurationError` if none does."""
        for variant in variants:
            if variant not in self.known:
                self.known[variant] = round(self._overlap(variant), 4)
            if self.known[variant] >= MIN_OVERLAP:
                return variant
        found = ", ".join(f"{each}: {self.known[each]}" for each in variants)
        raise ConfigurationError(
            f"none of the backends asked for finds {MIN_OVERLAP:.0%} of the neighbours of torch float32 ({found})",
            where="twin.yaml: embedding.backend",
            mend="Leave embedding.backend and embedding.precision out.",
        )

    def _overlap(self, variant: Variant) -> float:
        if variant == REFERENCE:
            return 1.0
        return overlap(self._loaded[variant].encode(self._probes), self._reference)

    @cached_property
    def _reference(self) -> NDArray[np.float32]:
        return (self._loaded.get(REFERENCE) or self._load(REFERENCE)).encode(self._probes)


def _clock() -> Callable[[], float]:
    """Of one thread the processor's time: on a busy machine the clock on the wall once chose the slowest of three."""
    return time.process_time if threads() == 1 else time.perf_counter


def _loaded(candidates: Sequence[Variant], load: Callable[[Variant], Backend]) -> dict[Variant, Backend]:
    loaded: dict[Variant, Backend] = {}
    for variant in candidates:
        try:
            backend = load(variant)
            backend.encode(["Ready?"])
            loaded[variant] = backend
        except (TwinError, RuntimeError, ValueError, TypeError, OSError):
            if len(candidates) == 1:
                raise
    return loaded


def _seconds(
    loaded: Mapping[Variant, Backend], texts: Sequence[str], clock: Callable[[], float], rounds: int
) -> dict[Variant, float]:
    """How long the texts take, the best of some rounds by turns; one far behind after the first has no second."""
    best: dict[Variant, float] = {}
    for _ in range(rounds):
        limit = 4 * min(best.values(), default=float("inf"))
        for variant, backend in loaded.items():
            if best.get(variant, 0.0) <= limit:
                began = clock()
                backend.encode(texts)
                best[variant] = min(clock() - began, best.get(variant, float("inf")))
    return best


def _nearest(vectors: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = directions @ directions.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :k]


def _file(cache: Path, key: str) -> Path:
    return cache / "choices" / f"{key[:32]}.json"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 itself; emulated, it is several times slower than float32."""
    return any(name in _processor().split() for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _processor() -> str:
    """Name and abilities of the processor."""
    file = Path("/proc/cpuinfo")
    if not file.is_file():
        return f"{platform.machine()} {platform.processor()}"
    lines = dict(line.split(":", 1) for line in file.read_text(encoding="utf-8").splitlines() if ":" in line)
    said = {key.strip(): value.strip() for key, value in lines.items()}
    return " ".join(said.get(key, "") for key in ("model name", "cpu family", "model", "flags", "Features"))
