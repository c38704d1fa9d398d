"""An embedding model as one ONNX file, pooling and normalisation included, made once and kept by the model's digest."""

import os
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import ModelNotFoundError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_OPSET = 17


def export_path(cache: Path, digest: str) -> Path:
    """Where the export of the model with this digest is, or will be."""
    return cache / "models" / digest / "model.onnx"


def export(transformer: "SentenceTransformer", path: Path) -> None:
    """Write the model to `path` in one step: it is there whole, or not at all.

    The exporter by TorchScript: a second and a half for MiniLM where `dynamo=True` takes twenty (23 s of CPU, torch
    2.13), and one file. Whether the graph computes the same is not taken on trust: see `embedding_choice`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        _write(transformer, name)
        Path(name).replace(path)
    except (RuntimeError, TypeError, ValueError, OSError) as error:
        raise ModelNotFoundError(
            f"the embedding model cannot be exported to ONNX: {str(error).splitlines()[0][:200]}",
            where=str(path),
            mend="Set embedding.backend to torch.",
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _write(transformer: "SentenceTransformer", name: str) -> None:
    import torch

    # A copy on the CPU and in evaluation mode would be a second model in memory; the transformer is in that mode.
    model = _Sentences.of(transformer)
    ids = torch.randint(5, 500, (2, 9), device=transformer.device)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what tracing might miss, which is measured afterwards
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            name,
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "vectors": {0: "texts"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )


class _Sentences:
    """The modules in a row as one `torch.nn.Module` of two inputs."""

    @staticmethod
    def of(transformer: "SentenceTransformer"):  # type: ignore[no-untyped-def]  # noqa: ANN205 - torch loads late
        """A module that shares the transformer's weights."""
        import torch

        wants_types = "token_type_ids" in getattr(transformer.tokenizer, "model_input_names", ())

        class Sentences(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.transformer = transformer

            def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
                given = {"input_ids": input_ids, "attention_mask": attention_mask}
                if wants_types:
                    given["token_type_ids"] = torch.zeros_like(input_ids)
                found: torch.Tensor = self.transformer(given)["sentence_embedding"]
                return torch.nn.functional.normalize(found, dim=-1)

        return Sentences().eval()
