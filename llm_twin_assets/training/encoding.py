"""Samples as token ids and labels: what is learned is the answer and its end, in the base's own tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_twin_assets.inference.models import control_tokens
from llm_twin_assets.training.conversation import conversation
from llm_twin_assets.training.samples import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """Tokens and labels of one sample; `size` is how many bytes of the answer the labels stand for."""

    input_ids: list[int]
    labels: list[int]
    size: int

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class Encoded:
    """The samples that fit. `cut` answers lost their end to the context, `dropped` ones did not even begin in it;
    of `shifted` ones the prompt's last tokens differ from those that serving sees."""

    samples: tuple[EncodedSample, ...]
    cut: int = 0
    dropped: int = 0
    shifted: int = 0

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return sum(sample.learned for sample in self.samples)

    @property
    def size(self) -> int:
        """How many bytes of answers that is."""
        return sum(sample.size for sample in self.samples)


def encode(pairs: Iterable[Pair], tokenizer: "PreTrainedTokenizerBase", author_name: str, max_length: int) -> Encoded:
    """Encode samples, each of at most `max_length` tokens; only tokens of the answer and its end have labels."""
    special = list(control_tokens(tokenizer).values())
    samples: list[EncodedSample] = []
    cut = dropped = shifted = 0
    for instruction, answer in pairs:
        said = conversation(instruction, answer, author_name=author_name, special_tokens=special)
        prompt = _ids(tokenizer, said["prompt"], is_open=True)
        whole = _ids(tokenizer, [*said["prompt"], *said["completion"]], is_open=False)
        start = _common_prefix(prompt, whole)
        shifted += start < len(prompt)
        if start >= min(max_length, len(whole)):
            dropped += 1
            continue
        size = len(said["completion"][0]["content"].encode())
        if len(whole) > max_length:
            cut += 1
            whole = whole[:max_length]
            size = len(tokenizer.decode(whole[start:], skip_special_tokens=True).encode())
        samples.append(EncodedSample(whole, [IGNORED] * start + whole[start:], size))
    return Encoded(tuple(samples), cut, dropped, shifted)


def _ids(tokenizer: "PreTrainedTokenizerBase", said: object, *, is_open: bool) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(said, add_generation_prompt=is_open, return_dict=True)["input_ids"]
    return ids


def _common_prefix(one: list[int], other: list[int]) -> int:
    # Some templates render the end of a prompt otherwise once an answer follows (an empty <think> block, a blank).
    for position, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return position
    return min(len(one), len(other))
