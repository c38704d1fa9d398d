"""Which models are plain, by what their settings say (that a plain one has the vectors it should: test_embedder)."""

import pytest

from resources.embedding_torch import plain_pooling

MODULES = [
    {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]


def test_settings_say_whether_a_model_is_plain():
    mean = {"pooling_mode_mean_tokens": True}
    assert plain_pooling(MODULES, mean, {"max_seq_length": 256}) == "mean"
    assert plain_pooling([*MODULES, {"type": "x.Normalize"}], mean, {}) == "mean"


@pytest.mark.parametrize(
    ("modules", "pooling", "transformer"),
    [
        ({}, {"pooling_mode_mean_tokens": True}, {}),
        ([*MODULES, {"path": "2_Dense", "type": "x.Dense"}], {"pooling_mode_mean_tokens": True}, {}),
        ([{**MODULES[0], "path": "0_Transformer"}, MODULES[1]], {"pooling_mode_mean_tokens": True}, {}),
        (MODULES, {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, {}),
        (MODULES, {"pooling_mode_mean_sqrt_len_tokens": True}, {}),
        (MODULES, {"pooling_mode_mean_tokens": True, "include_prompt": False}, {}),
        (MODULES, {"pooling_mode_mean_tokens": True}, {"do_lower_case": True}),
        (MODULES, {"pooling_mode_mean_tokens": True}, {"transformer_task": "text-generation"}),
        (MODULES, {}, {}),
    ],
)
def test_whatever_else_a_model_says_makes_it_more_than_plain(modules, pooling, transformer):
    assert plain_pooling(modules, pooling, transformer) is None
