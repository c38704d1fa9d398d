"""What runs an embedding model: PyTorch, ONNX Runtime or OpenVINO, in float32 or bfloat16, behind one method."""

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from resources.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Name = Literal["torch", "onnxruntime", "openvino"]
Precision = Literal["float32", "bfloat16"]

# What a compiled graph is given at once, for each thread: more, and the activations leave the cache. MiniLM on one core
# with AVX2, ONNX Runtime, seconds of processor time for 32 texts of 69 tokens: 1.22 by 2,048 tokens, .81 by 512, .77 by
# 384, .77 by 256 (torch, as sentence-transformers calls it: 2.02); for 12 texts of 246 tokens 1.23, 1.09, 1.08, 1.05.
_TEXTS, _TOKENS = 32, 384
# OpenVINO prepares its kernels anew for every shape that it has not seen: for it lengths are rounded up to a multiple.
# The others would only read blanks: a question has some 12 tokens.
_MULTIPLES = {"openvino": 8}


@dataclass(frozen=True, slots=True)
class Variant:
    """A backend in a precision."""

    backend: Name
    precision: Precision

    def __str__(self) -> str:
        return f"{self.backend} {self.precision}"


REFERENCE = Variant("torch", "float32")
# ONNX Runtime's CPU kernels have no bfloat16 to speak of.
VARIANTS = (
    REFERENCE,
    Variant("torch", "bfloat16"),
    Variant("onnxruntime", "float32"),
    Variant("openvino", "float32"),
    Variant("openvino", "bfloat16"),
)


class Backend(Protocol):
    """A loaded model."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, shape (len(texts), dimension); their order should be by length."""
        ...


def installed(backend: Name, export: Path) -> bool:
    """Whether the packages are there; `export` is where the ONNX file is or would be written (which takes `onnx`)."""
    needed = [backend] if backend == "torch" or export.is_file() else [backend, "onnx"]
    return all(importlib.util.find_spec(package) for package in needed)


def require(backend: Name, export: Path) -> None:
    """Raise `ConfigurationError`, naming the extra, if the backend is not installed."""
    if not installed(backend, export):
        extra = "onnx" if backend == "onnxruntime" else backend
        raise ConfigurationError(
            f"the backend '{backend}' is not installed",
            where="twin.yaml: embedding.backend",
            mend=f"Install the extra '{extra}', or leave embedding.backend out.",
        )


def threads() -> int:
    """How many threads to compute with: `OMP_NUM_THREADS`, else the processors that this process may use."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdecimal() and int(stated):
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class TorchBackend:
    """`SentenceTransformer` as it is, on an accelerator if there is one."""

    def __init__(self, transformer: "SentenceTransformer", batch_size: int) -> None:
        self._transformer = transformer
        self._batch_size = batch_size

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Backend`."""
        found = self._transformer.encode(
            list(texts),
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=False,
        )
        # numpy knows no bfloat16.
        return np.stack([vector.float().cpu().numpy() for vector in found])


class _Graph(Protocol):
    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]: ...


class GraphBackend:
    """A graph of token ids, with the model's tokenizer before it."""

    def __init__(self, graph: _Graph, tokenizer: "Tokenizer", backend: Name) -> None:
        self._graph = graph
        self._tokenizer = tokenizer
        self._multiple = _MULTIPLES.get(backend, 1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Backend`."""
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        ids = [encoding.ids for encoding in encodings]
        order = sorted(range(len(ids)), key=lambda each: -len(ids[each]))
        padding = self._tokenizer.token_to_id(pad_token(self._tokenizer)) or 0
        vectors: list[NDArray[np.float32] | None] = [None] * len(ids)
        start = 0
        while start < len(order):
            longest = self._length(ids[order[start]])
            batch = order[start : start + max(1, min(_TEXTS, _TOKENS * threads() // longest))]
            for place, vector in zip(batch, self._run([ids[each] for each in batch], padding), strict=True):
                vectors[place] = vector
            start += len(batch)
        return np.stack([vector for vector in vectors if vector is not None])

    def _run(self, ids: Sequence[Sequence[int]], padding: int) -> NDArray[np.float32]:
        padded = np.full((len(ids), self._length(ids[0])), padding, dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, each in enumerate(ids):
            padded[row, : len(each)] = each
            mask[row, : len(each)] = 1
        return self._graph(padded, mask)

    def _length(self, longest: Sequence[int]) -> int:
        return -(-len(longest) // self._multiple) * self._multiple


def pad_token(tokenizer: "Tokenizer") -> str:
    """The token that fills a batch up: it matters where positions are counted from it (RoBERTa and its like)."""
    stated = tokenizer.padding
    known = [stated["pad_token"]] if stated else []
    return next((each for each in (*known, "[PAD]", "<pad>", "<|pad|>") if tokenizer.token_to_id(each) is not None), "")


def graph(variant: Variant, export: Path, threads: int) -> _Graph:
    """The exported graph on so many threads; raises `StorageError` if the file is not what was exported."""
    load = _onnxruntime_graph if variant.backend == "onnxruntime" else _openvino_graph
    try:
        return load(export, variant.precision, threads)
    except (RuntimeError, ValueError) as error:
        raise StorageError(
            f"{variant} cannot load the exported embedding model: {str(error).strip().splitlines()[-1][:200]}",
            where=str(export),
            mend="Remove the file: it is made again.",
        ) from error


def _onnxruntime_graph(export: Path, _: Precision, threads: int) -> _Graph:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that wait by spinning take the processor from whatever else the service does.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Its errors share no base but Exception.
    failures = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.RuntimeException)
    try:
        session = onnxruntime.InferenceSession(str(export), options, providers=["CPUExecutionProvider"])
    except failures as error:
        raise RuntimeError(str(error)) from error

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            return np.asarray(session.run(None, {"input_ids": ids, "attention_mask": mask})[0], dtype=np.float32)
        except failures as error:
            raise RuntimeError(str(error)) from error

    return run


def _openvino_graph(export: Path, precision: Precision, threads: int) -> _Graph:
    import openvino

    compiled = openvino.Core().compile_model(
        str(export),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            # Else it takes an affinity of its own, beside torch's threads in the same service.
            "ENABLE_CPU_PINNING": False,
        },
    )

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        # A request of one's own each time: questions come in several threads.
        request = compiled.create_infer_request()
        return np.array(request.infer({"input_ids": ids, "attention_mask": mask})[compiled.output(0)], dtype=np.float32)

    return run
