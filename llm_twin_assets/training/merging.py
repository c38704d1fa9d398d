"""An adapter and its base made one: a model folder that any engine loads, with safetensors alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.training import probes
from llm_twin_assets.training.errors import VerificationError
from llm_twin_assets.training.model_folder import tidy
from llm_twin_assets.training.verification import load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def merge(adapter: Path, base: Path, into: Path, author_name: str) -> float:
    """Write the merged model below `into`, in the base's own number format, and compare it with base and adapter.

    Returns the largest difference of a logit in standard deviations; raises `VerificationError` if that is too large
    (then nothing is left). What `qlora` has trained is merged into the base as it was before it was quantized.
    """
    import shutil

    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(adapter, local_files_only=True)
    expected = probes.take(load_model(adapter, base), tokenizer, author_name, _stored_precision(base))
    merged: PreTrainedModel = load_model(adapter, base).merge_and_unload(safe_merge=True)
    merged.to(_dtype(base)).save_pretrained(into)
    del merged
    tokenizer.save_pretrained(into)
    tidy(into, base=str(base), revision=None)
    deviation = expected.deviation(probes.take(load_model(into, into), tokenizer, author_name))
    if not deviation <= expected.tolerance:
        shutil.rmtree(into)
        raise VerificationError(
            f"the merged model answers differently from base and adapter: logits are off by {deviation:.3g} standard "
            f"deviations, {expected.tolerance:.3g} are allowed",
            where=str(adapter),
        )
    return deviation


def _stored_precision(base: Path) -> str:
    name = str(_dtype(base)).removeprefix("torch.")
    return name if name in probes.TOLERANCE else "float32"


def _dtype(base: Path) -> object:
    import torch
    from transformers import AutoConfig

    named = AutoConfig.from_pretrained(base, local_files_only=True).get_text_config().dtype
    return named if isinstance(named, torch.dtype) else getattr(torch, str(named or "float32"))
