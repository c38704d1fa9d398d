"""Trains tiny-llama's tokenizer and gives it its chat template."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 4096
BOS, EOS, PAD, END = "<|bos|>", "<|eos|>", "<|pad|>", "<|end|>"
ROLES = ("system", "user", "assistant")
SPECIAL_TOKENS = (BOS, EOS, PAD, *(f"<|{role}|>" for role in ROLES), END)

# Prefix-preserving: the rendered prompt, with its generation prompt, is the beginning of prompt + answer.
CHAT_TEMPLATE = (
    "{{- '<|bos|>' -}}"
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}"
)


def train_tokenizer(texts: Iterable[str], context: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with single digits and single newlines.

    Newlines stand alone so that the newline after `<|assistant|>` never merges with an answer that begins with white
    space: then the template preserves prefixes in tokens too, not only in characters, as TRL's prompt/completion needs.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex("\n"), behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),  # any byte can be written, whatever the corpus held
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=END,  # ends an answer; `<|eos|>` ends a document, and generation stops at either
        pad_token=PAD,
        additional_special_tokens=[EOS, *(f"<|{role}|>" for role in ROLES)],
        chat_template=CHAT_TEMPLATE,
        model_max_length=context,
        padding_side="right",
        clean_up_tokenization_spaces=False,
    )
