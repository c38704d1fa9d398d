"""An embedding model in torch: by sentence-transformers, or plainly, by transformers and a pooling of tokens.

sentence-transformers runs every model, but to import it and load MiniLM takes 13 s of processor time (scikit-learn,
pandas, its trainers; torch 2.13, transformers 5.23). transformers alone takes 8, and next to nothing in a process that
has loaded a language model. Most models are plain enough for it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from resources.embedding_backend import Precision
from resources.errors import ModelNotFoundError
from resources.importing import without_collection

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Pooling = Literal["cls", "mean"]

_SINGLE: dict[str, Pooling] = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}


def plain_pooling(modules: object, pooling: Mapping[str, object], transformer: Mapping[str, object]) -> Pooling | None:
    """How tokens become one vector, by the settings of the modules; None if there is more to the model than that.

    They stand in `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json`, as sentence-transformers has
    written them since version 2.
    """
    stages = [each for each in modules if isinstance(each, dict)] if isinstance(modules, list) else []
    kinds = [str(each.get("type")).rpartition(".")[2] for each in stages]
    if kinds[:2] != ["Transformer", "Pooling"] or set(kinds[2:]) - {"Normalize"} or stages[0].get("path"):
        return None
    if set(transformer) - {"max_seq_length", "do_lower_case"} or transformer.get("do_lower_case"):
        return None
    if pooling.get("include_prompt") is False:
        return None
    modes = [_SINGLE.get(name) for name, on in pooling.items() if name.startswith("pooling_mode_") and on]
    return modes[0] if len(modes) == 1 else None


def has_accelerator() -> bool:
    """Whether torch sees a device beside the processor."""
    import torch

    return torch.accelerator.is_available()


def sentence_transformer(folder: Path) -> "SentenceTransformer":
    """The whole model, on an accelerator if there is one; raises `ModelNotFoundError`."""
    # Imported here: it draws in torch, which the code location must not load (DESIGN.md §2).
    from sentence_transformers import SentenceTransformer

    with _whole(folder):
        return SentenceTransformer(str(folder), device=None)


class TorchGraph:
    """A plain model on the processor, called as an exported graph is; raises `ModelNotFoundError`."""

    @without_collection()
    def __init__(self, folder: Path, pooling: Pooling, precision: Precision) -> None:
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        logging.disable_progress_bar()  # a bar in a server's log is noise
        with _whole(folder):
            self._model = AutoModel.from_pretrained(folder, dtype=getattr(torch, precision), local_files_only=True)
        self._model.eval()
        self._pooling = pooling

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Vectors, shape (texts, dimension), of token ids and which of them count, shape (texts, tokens)."""
        import torch

        counts = torch.from_numpy(mask)
        with torch.inference_mode():
            found: Any = self._model(input_ids=torch.from_numpy(ids), attention_mask=counts).last_hidden_state
            if self._pooling == "cls":
                pooled = found[:, 0]
            else:
                weights = counts.unsqueeze(-1).to(found.dtype)
                pooled = (found * weights).sum(1) / weights.sum(1).clamp(min=1)
            vectors: NDArray[np.float32] = pooled.float().numpy()
        return vectors


@contextmanager
def _whole(folder: Path) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelNotFoundError(
            f"the embedding model cannot be loaded: {str(error).splitlines()[0][:200]}",
            where=str(folder),
            mend="Put the model's files there again, whole.",
        ) from error
