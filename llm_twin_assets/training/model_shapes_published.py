"""Shapes of published models by hub id, from their public config.json files: for planning without a network."""

from collections.abc import Iterator, Mapping

Config = Mapping[str, object]


def _config(
    model_type: str,
    hidden: int,
    intermediate: int,
    layers: int,
    heads: tuple[int, int],
    vocabulary: int,
    **more: object,
) -> Config:
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads[0],
        "num_key_value_heads": heads[1],
        "vocab_size": vocabulary,
        "tie_word_embeddings": False,
        **more,
    }


def _gpt_oss(layers: int, experts: int) -> Config:
    return _config(
        "gpt_oss", 2880, 2880, layers, (64, 8), 201088, head_dim=64, num_local_experts=experts, num_experts_per_tok=4
    )


_TIED: Mapping[str, object] = {"tie_word_embeddings": True}

PUBLISHED: Mapping[str, Config] = {
    "huggyllama/llama-65b": _config("llama", 8192, 22016, 80, (64, 64), 32000),
    "meta-llama/Llama-2-7b-hf": _config("llama", 4096, 11008, 32, (32, 32), 32000),
    "meta-llama/Llama-2-13b-hf": _config("llama", 5120, 13824, 40, (40, 40), 32000),
    "meta-llama/Llama-2-70b-hf": _config("llama", 8192, 28672, 80, (64, 8), 32000),
    "meta-llama/Llama-3.2-1B": _config("llama", 2048, 8192, 16, (32, 8), 128256, head_dim=64, **_TIED),
    "meta-llama/Llama-3.2-3B": _config("llama", 3072, 8192, 28, (24, 8), 128256, head_dim=128, **_TIED),
    "meta-llama/Llama-3.1-8B": _config("llama", 4096, 14336, 32, (32, 8), 128256),
    "meta-llama/Llama-3.1-70B": _config("llama", 8192, 28672, 80, (64, 8), 128256),
    "mistralai/Mistral-7B-v0.1": _config("mistral", 4096, 14336, 32, (32, 8), 32000),
    "mistralai/Mistral-7B-v0.3": _config("mistral", 4096, 14336, 32, (32, 8), 32768),
    "Qwen/Qwen2.5-0.5B": _config("qwen2", 896, 4864, 24, (14, 2), 151936, **_TIED),
    "Qwen/Qwen2.5-1.5B": _config("qwen2", 1536, 8960, 28, (12, 2), 151936, **_TIED),
    "Qwen/Qwen2.5-3B": _config("qwen2", 2048, 11008, 36, (16, 2), 151936, **_TIED),
    "Qwen/Qwen2.5-7B": _config("qwen2", 3584, 18944, 28, (28, 4), 152064),
    "Qwen/Qwen2.5-14B": _config("qwen2", 5120, 13824, 48, (40, 8), 152064),
    "Qwen/Qwen2.5-32B": _config("qwen2", 5120, 27648, 64, (40, 8), 152064),
    "Qwen/Qwen2.5-72B": _config("qwen2", 8192, 29568, 80, (64, 8), 152064),
    "Qwen/Qwen3-4B": _config("qwen3", 2560, 9728, 36, (32, 8), 151936, head_dim=128, **_TIED),
    "Qwen/Qwen3-8B": _config("qwen3", 4096, 12288, 36, (32, 8), 151936, head_dim=128),
    "Qwen/Qwen3-14B": _config("qwen3", 5120, 17408, 40, (40, 8), 151936, head_dim=128),
    "Qwen/Qwen3-32B": _config("qwen3", 5120, 25600, 64, (64, 8), 151936, head_dim=128),
    "google/gemma-2-9b": _config("gemma2", 3584, 14336, 42, (16, 8), 256000, head_dim=256, **_TIED),
    "google/gemma-2-27b": _config("gemma2", 4608, 36864, 46, (32, 16), 256000, head_dim=128, **_TIED),
    "google/gemma-3-4b-pt": _config("gemma3_text", 2560, 10240, 34, (8, 4), 262208, head_dim=256, **_TIED),
    "google/gemma-3-12b-pt": _config("gemma3_text", 3840, 15360, 48, (16, 8), 262208, head_dim=256, **_TIED),
    "google/gemma-3-27b-pt": _config("gemma3_text", 5376, 21504, 62, (32, 16), 262208, head_dim=128, **_TIED),
    "openai/gpt-oss-20b": _gpt_oss(24, 32),
    "openai/gpt-oss-120b": _gpt_oss(36, 128),
    "01-ai/Yi-34B": _config("llama", 7168, 20480, 60, (56, 8), 64000),
}


def published(name: str) -> Config | None:
    """The config of a published model by hub id or its last part, whatever the case; None if the table lacks it."""
    wanted = name.casefold()
    return next((PUBLISHED[key] for key in PUBLISHED if wanted in _names(key)), None)


def _names(key: str) -> Iterator[str]:
    # An instruct model has its base's shape.
    last = key.casefold().split("/")[-1]
    for stem in (key.casefold(), last):
        bare = stem.removesuffix("-hf").removesuffix("-pt")
        yield from (stem, bare, f"{bare}-instruct", f"{bare}-it", f"{bare}-chat", f"{bare}-chat-hf")


# Llama-shaped models by parameters: (parameters, layers, hidden size), between which `scaled` finds its place.
_GROWTH = ((0.5e9, 16, 1536), (1.2e9, 16, 2048), (3.2e9, 28, 3072), (8e9, 32, 4096), (14e9, 40, 5120), (34e9, 60, 7168),
           (70.5e9, 80, 8192), (405e9, 126, 16384))  # fmt: skip


def scaled(parameters: float) -> Config:
    """A Llama-shaped model of about so many parameters: for planning before a base is chosen."""
    upper = next((index for index, entry in enumerate(_GROWTH) if parameters <= entry[0]), len(_GROWTH) - 1)
    low, high = _GROWTH[max(0, upper - 1)], _GROWTH[upper]
    share = 0.0 if low == high else min(1.0, max(0.0, (parameters - low[0]) / (high[0] - low[0])))
    layers = round(low[1] + share * (high[1] - low[1]))
    hidden = round((low[2] + share * (high[2] - low[2])) / 256) * 256
    vocabulary = 128256 if parameters >= 1e9 else 32000
    key_values = 8 * 128 if hidden >= 1024 else hidden
    attention = 2 * hidden * (hidden + key_values)
    left = (parameters - 2 * vocabulary * hidden) / layers - attention
    intermediate = max(256, round(left / (3 * hidden) / 64) * 64)
    return _config("llama", hidden, intermediate, layers, (hidden // 128, key_values // 128), vocabulary, head_dim=128)
