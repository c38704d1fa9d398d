"""Shapes that several tests look at, each counted once."""

from functools import cache

from llm_twin_assets.training.model_shapes import ModelShape, counted, shape_of


@cache
def shape(name: str) -> ModelShape:
    return shape_of(name)


@cache
def first_qwen(size: str) -> ModelShape:
    """Qwen's first generation had transformers code of its own; Qwen2's class has the same weights."""
    hidden, intermediate, layers, vocabulary = {
        "7B": (4096, 11008, 32, 151936),
        "14B": (5120, 13696, 40, 152064),
    }[size]
    heads = hidden // 128
    return counted(
        f"Qwen-{size}",
        {
            "model_type": "qwen2",
            "hidden_size": hidden,
            "intermediate_size": intermediate,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": heads,
            "vocab_size": vocabulary,
            "tie_word_embeddings": False,
        },
    )
