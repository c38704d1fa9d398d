"""The embedding model: from the installed package where there is one, else a folder or the hub."""

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from resources import embedding_backend as backends
from resources.embedding_backend import REFERENCE, VARIANTS, Backend, Variant
from resources.embedding_choice import Choice, choose, has_bfloat16, machine_key, remember, remembered
from resources.embedding_export import export, export_path
from resources.embedding_fluency import familiarity, is_english_only
from resources.embedding_model import digested_files, model_folder
from resources.embedding_spool import VectorSpool
from resources.embedding_torch import TorchGraph, has_accelerator, plain_pooling, sentence_transformer
from resources.embedding_vectors import check_texts, unit
from resources.errors import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

# Measuring takes some seconds, once. It is worth that from about this many texts on; before, torch in float32 does.
_WORTH_MEASURING = 512
# Calls of fewer texts do not count towards it: a service must not begin to measure between two questions.
_BULK = 128


class Embedder:
    """Texts to unit vectors. The model is loaded at first use and pinned by the digest of its files.

    `backend` and `precision` may be "auto": then what was measured to be fastest on this machine (see
    `embedding_choice`; exports and measurements are kept in `cache`), and torch in float32 until that is worth it.
    `for_questions`, it is what was fastest for one text alone, on one thread: questions come side by side.
    """

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        batch_size: int = 32,
        *,
        backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "torch",
        precision: Literal["auto", "float32", "bfloat16"] = "float32",
        cache: Path | None = None,
        for_questions: bool = False,
    ) -> None:
        self.model = model
        self._revision = revision
        self._batch_size = batch_size
        self._wish = (backend, precision)
        self._cache = cache or default_cache()
        self._spools = cache is not None
        self._for_questions = for_questions
        self._loaded: dict[Variant, Backend] = {}
        self._choice: Choice | None = None
        self._encoded = 0
        # Questions come in several threads; a model must not be loaded by each.
        self._lock = threading.RLock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, shape (len(texts), dimension), float32, L2 norm 1.

        A text longer than `max_tokens` counts by its beginning; raises `EmbeddingError` for what is no text to embed
        and where the model's output is no vector.
        """
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        check_texts(texts)
        with self._lock:
            self._encoded += len(texts) if len(texts) >= _BULK else 0
            backend = self._backend(self._variant(bulk=self._encoded >= _WORTH_MEASURING))
        return unit(backend.encode(texts), self.dimension, f"{self.model} on {self.variant}")

    def settle(self) -> Choice:
        """Decide on backend and precision now, by measuring if that was not done on this machine; remembered."""
        with self._lock:
            if self._choice is None:
                self._choice = self._remembered or self._measured()
                # One copy of the model is enough.
                chosen = self._chosen(self._choice)
                self._loaded = {each: it for each, it in self._loaded.items() if each == chosen}
                if chosen != REFERENCE:
                    self.__dict__.pop("_transformer", None)
            return self._choice

    @property
    def variant(self) -> Variant:
        """Backend and precision that texts are embedded with at present."""
        return self._variant(bulk=False)

    def spool(self, name: str) -> VectorSpool | None:
        """Where vectors of this model wait until the snapshot called `name` has them; None without a `cache`."""
        return VectorSpool(self._cache / "spool" / self.digest / name) if self._spools else None

    def token_count(self, text: str) -> int:
        """Length of a text in the model's tokens, special tokens included."""
        return len(self._tokenizer.encode(text).ids)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Lengths of many texts, several times as fast as one by one."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

    def familiarity(self, text: str) -> float:
        """How much of a text is in words that the model knows, from 0 to 1; 1 unless its card says English alone."""
        return familiarity(self._tokenizer, text) if self._is_english_only else 1.0

    @cached_property
    def _is_english_only(self) -> bool:
        return is_english_only(self._folder)

    @cached_property
    def max_tokens(self) -> int:
        """Longest input that is not truncated, special tokens included."""
        stated = self._json("sentence_bert_config.json").get("max_seq_length")
        return int(stated or self._transformer.max_seq_length or 512)

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        modules = self._json("modules.json")
        kinds = [module["type"].rpartition(".")[2] for module in modules] if isinstance(modules, list) else []
        if kinds[:2] == ["Transformer", "Pooling"] and set(kinds[2:]) <= {"Normalize"}:
            stated = self._json("1_Pooling/config.json").get("word_embedding_dimension")
            if stated:
                return int(stated)
        return int(self._transformer.get_embedding_dimension() or 0)

    @cached_property
    def digest(self) -> str:
        """sha256 over all that decides the vectors: weights, architecture, tokenizer, pooling, and that they are unit.

        Not the backend: those that may be chosen are interchangeable for search (docs/adr/0010).
        """
        sha = hashlib.sha256(b"l2-normalized")
        for file in digested_files(self._folder):
            sha.update(file.relative_to(self._folder).as_posix().encode())
            with file.open("rb") as stream:
                sha.update(hashlib.file_digest(stream, "sha256").digest())
        return sha.hexdigest()

    def _variant(self, *, bulk: bool) -> Variant:
        if self._choice is not None:
            return self._chosen(self._choice)
        candidates = self._candidates
        if candidates == (REFERENCE,):
            return REFERENCE
        # Who asks for something else than torch in float32 gets it, verified, from the first text on.
        if bulk or REFERENCE not in candidates or self._remembered:
            return self._chosen(self.settle())
        return REFERENCE

    def _chosen(self, choice: Choice) -> Variant:
        return choice.question if self._for_questions else choice.variant

    @cached_property
    def _remembered(self) -> Choice | None:
        """What was chosen before this process; looked up once, for every question passes here."""
        return remembered(self._cache, machine_key(self.digest, self._candidates))

    def _measured(self) -> Choice:
        choice = choose(self._candidates, self._backend)
        remember(self._cache, machine_key(self.digest, self._candidates), choice)
        return choice

    @cached_property
    def _candidates(self) -> tuple[Variant, ...]:
        backend, precision = self._wish
        asked = tuple(
            each for each in VARIANTS if backend in ("auto", each.backend) and precision in ("auto", each.precision)
        )
        if not asked:
            raise ConfigurationError(
                f"there is no backend '{backend}' in {precision}",
                where="twin.yaml: embedding.precision",
                mend=f"Known: {', '.join(map(str, VARIANTS))}.",
            )
        if asked == (REFERENCE,):
            return asked
        file = export_path(self._cache, self.digest)
        if backend != "auto":
            backends.require(backend, file)
        able = tuple(
            each for each in asked
            if (each.backend == "torch" or (self._is_plain and backends.installed(each.backend, file)))
            and (each.precision == "float32" or precision == "bfloat16" or has_bfloat16())
        )  # fmt: skip
        if not able:
            raise ConfigurationError(
                f"the model '{self.model}' runs on torch only: it is more than a transformer and a pooling of tokens",
                where="twin.yaml: embedding.backend",
                mend="Leave embedding.backend out.",
            )
        return able

    @property
    def _is_plain(self) -> bool:
        """Whether a graph of token ids is all there is to the model: no prompts, and a tokenizer in one file."""
        default_prompt = self._json("config_sentence_transformers.json").get("default_prompt_name")
        has_tokenizer = (self._folder / "tokenizer.json").is_file() and backends.pad_token(self._tokenizer)
        return bool(has_tokenizer) and not default_prompt

    def _backend(self, variant: Variant) -> Backend:
        if variant not in self._loaded:
            self._loaded[variant] = self._load(variant)
        return self._loaded[variant]

    def _load(self, variant: Variant) -> Backend:
        if variant.backend == "torch":
            return self._on_torch(variant)
        file = export_path(self._cache, self.digest)
        if not file.is_file():
            export(self._transformer, file)
        # One of 12 tokens takes MiniLM 7.9 ms on one thread, and 7.1 on two, which together compute for 11.2.
        graph = backends.graph(variant, file, 1 if self._for_questions else backends.threads())
        return backends.GraphBackend(graph, self._truncating_tokenizer(), variant.backend)

    def _on_torch(self, variant: Variant) -> Backend:
        settings = (self._json(f"{name}.json") for name in ("modules", "1_Pooling/config", "sentence_bert_config"))
        pooling = plain_pooling(*settings) if self._is_plain and not has_accelerator() else None
        if pooling:
            graph = TorchGraph(self._folder, pooling, variant.precision)
            return backends.GraphBackend(graph, self._truncating_tokenizer(), variant.backend)
        transformer = self._transformer if variant == REFERENCE else sentence_transformer(self._folder).bfloat16()
        return backends.TorchBackend(transformer, self._batch_size)

    def _truncating_tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer: Tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        tokenizer.enable_truncation(self.max_tokens)
        return tokenizer

    @cached_property
    def _folder(self) -> Path:
        return model_folder(self.model, self._revision)

    @cached_property
    def _transformer(self) -> "SentenceTransformer":
        return sentence_transformer(self._folder)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        """The model's tokenizer alone: ready in 50 ms, where the model takes torch and seconds."""
        from tokenizers import Tokenizer

        file = self._folder / "tokenizer.json"
        tokenizer: Tokenizer = (
            Tokenizer.from_file(str(file)) if file.is_file() else self._transformer.tokenizer.backend_tokenizer
        )
        # A copy: the model goes on truncating and padding with its own.
        tokenizer = Tokenizer.from_str(tokenizer.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _json(self, name: str) -> Any:  # noqa: ANN401 - whatever the model's maker wrote
        file = self._folder / name
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def default_cache() -> Path:
    """Where exports and measurements are kept if no folder is named: below the user's cache."""
    stated = os.environ.get("XDG_CACHE_HOME")
    return (Path(stated) if stated else Path.home() / ".cache") / "llm-twin" / "embedding"
