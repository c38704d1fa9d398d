"""One tiny random model of each family, with a tokenizer that has its family's ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiny_training import CHAT_TEMPLATE, make_tokenizer

# As Qwen 3 does: an empty thought precedes the answer, in the prompt there is none yet.
THOUGHTFUL = (
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>\n' -}}"
    "{%- if message['role'] == 'assistant' -%}{{- '<think>\n\n</think>\n\n' -}}{%- endif -%}"
    "{{- message['content'] + '<|end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}"
)
# As Gemma's and Mistral's first templates do: no system message, turns by turns, a token that begins it all.
STRICT = (
    "{{- bos_token -}}"
    "{%- if messages[0]['role'] == 'system' -%}{{ raise_exception('System role not supported') }}{%- endif -%}"
    "{%- for message in messages -%}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{ raise_exception('Roles must alternate') }}"
    "{%- endif -%}"
    "{{- '<|user|>' if message['role'] == 'user' else '<|assistant|>' -}}"
    "{{- message['content'] | trim + '<|end|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)

_COMMON: Mapping[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
}


@dataclass(frozen=True)
class Family:
    """Configuration class and values; how its tokenizer differs from ours."""

    config: str
    values: Mapping[str, Any] = field(default_factory=lambda: _COMMON)
    template: str | None = CHAT_TEMPLATE
    eos: str = "<|end|>"
    pad: str | None = "<|pad|>"
    bos: str | None = None
    packs: bool = True


FAMILIES: Mapping[str, Family] = {
    "llama": Family("LlamaConfig"),
    "mistral": Family("MistralConfig", _COMMON | {"sliding_window": 16}, template=STRICT, bos="<|bos|>", pad=None),
    "qwen3": Family("Qwen3Config", template=THOUGHTFUL, eos="<|text|>"),
    "gemma3": Family("Gemma3TextConfig", _COMMON | {"sliding_window": 16}, template=STRICT, bos="<|bos|>"),
    "gpt2": Family(
        "GPT2Config", {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 256}, template=None, pad=None
    ),
    "gpt_neox": Family("GPTNeoXConfig", _COMMON | {"rotary_pct": 0.5}, template=None),
    "gpt_oss": Family(
        "GptOssConfig",
        _COMMON
        | {
            "num_local_experts": 4,
            "num_experts_per_tok": 2,
            "layer_types": ["sliding_attention", "full_attention"],
            "sliding_window": 16,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        packs=False,
    ),
}


def save_family(name: str, folder: Path) -> Path:
    """Write a random model of a family and its tokenizer."""
    import torch
    import transformers

    family = FAMILIES[name]
    tokenizer = make_tokenizer(chat=False, pad=False)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|text|>", "<|bos|>"]})
    tokenizer.eos_token, tokenizer.bos_token, tokenizer.pad_token = family.eos, family.bos, family.pad
    tokenizer.chat_template = family.template
    config = getattr(transformers, family.config)(
        vocab_size=len(tokenizer),
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,  # else a random model says the same of everything
        **family.values,
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
