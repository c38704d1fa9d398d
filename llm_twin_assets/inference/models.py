"""Loading a model folder: a full model, or an adapter on its base."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.inference.peft_import import import_without_quantizer
from resources.bases import shipped_base
from resources.errors import ModelNotFoundError
from resources.importing import without_collection

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BaseResolver = Callable[[str], Path | None]


@without_collection()
def load_model(folder: Path, resolve: BaseResolver = shipped_base) -> "tuple[PreTrainedTokenizerBase, PreTrainedModel]":
    """Tokenizer and model of a full model folder or a PEFT adapter folder, ready to answer.

    Raises `ModelNotFoundError` if anything of it is missing or damaged.
    """
    adapter = folder / "adapter_config.json"
    if not adapter.is_file() and not (folder / "config.json").is_file():
        raise ModelNotFoundError(
            "holds neither config.json (a model) nor adapter_config.json (an adapter)", where=str(folder)
        )
    from safetensors import SafetensorError
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar in a server's log is noise
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = _adapted(folder, adapter, resolve) if adapter.is_file() else _full(str(folder))
    except (OSError, ValueError, KeyError, SafetensorError) as error:  # how missing or damaged files show
        raise ModelNotFoundError(f"the model cannot be loaded: {error}", where=str(folder)) from error
    if tokenizer.chat_template is None or tokenizer.eos_token_id is None:
        raise ModelNotFoundError("the tokenizer has no chat template, or no end-of-sequence token", where=str(folder))
    return tokenizer, model.eval()


def control_tokens(tokenizer: "PreTrainedTokenizerBase") -> dict[int, str]:
    """Id and text of every token that is no text: also those that a tokenizer adds without giving them a role."""
    added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    named = zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
    return added | dict(named)


def _full(name_or_folder: str, revision: str | None = None) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    # float32 on CPU, where half precision is slow or missing; safetensors only: the other format is a pickle.
    on_gpu = torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        name_or_folder,
        revision=revision or "main",
        dtype="auto" if on_gpu else torch.float32,
        use_safetensors=True,
    )
    return model.to("cuda") if on_gpu else model


def _adapted(folder: Path, adapter: Path, resolve: BaseResolver) -> "PreTrainedModel":
    import_without_quantizer()
    from peft import PeftModel

    config = json.loads(adapter.read_text(encoding="utf-8"))
    base = _full(_base_of(folder, config.get("base_model_name_or_path") or "", resolve), config.get("revision"))
    # Merged, so that a token costs what it costs on the base.
    return PeftModel.from_pretrained(base, folder).merge_and_unload()


def _base_of(adapter: Path, named: str, resolve: BaseResolver) -> str:
    """What is to be loaded below an adapter: a shipped base, a folder (relative to the adapter's), or a hub id."""
    if shipped := resolve(named):
        return str(shipped)
    beside = (adapter / named).resolve()
    return str(beside) if (beside / "config.json").is_file() else named
