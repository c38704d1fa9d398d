"""Does a model still speak? What breaks when a model is trained too long or on too little."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from llm_twin_assets.evaluation.exam.generation import Output, is_prose
from llm_twin_assets.evaluation.measure import Measure, Measured, by_document
from llm_twin_assets.features.language import detect_language
from llm_twin_assets.inference.support import repeated_share
from llm_twin_assets.inference.words import words

REPETITION = Measure("repetition", "repeated runs of four words", "non_inferior", "lower")
DISTINCT = Measure("distinct_2", "distinct pairs of words", "report", "higher")
EMPTY = Measure("empty", "empty answers", "non_inferior", "lower")
LENGTH = Measure(
    "length_ratio", "distance from the author's length (natural logarithm of the ratio)", "report", "lower"
)
LANGUAGE = Measure("other_language", "answers in another language than the author's", "non_inferior", "lower")
LEAKAGE = Measure("template_leakage", "answers that hold parts of the chat template", "non_inferior", "lower")

# An answer of no word at all is as far from the author's as one a hundred times shorter.
_FARTHEST = math.log(100)
# How templates mark a turn, where a model writes the marks as plain text: <|im_start|>, <|user|>, [INST], <s>,
# <start_of_turn>, ### Instruction:, and a line that begins a turn of its own.
_MARK = re.compile(
    r"<\|[a-z0-9_▁ ]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<｜[^｜\n]{1,40}｜>"
    r"|(?m:^[ \t]*(?:#{2,3} ?(?:instruction|response|input|system|user|assistant|human):?"
    r"|(?:system|user|assistant|human):)[ \t]*$)",
    re.IGNORECASE,
)
# The tags that passages come in (inference/prompts.py).
_PASSAGE = re.compile(r"</?passage\b", re.IGNORECASE)


def speech_measures(outputs: Sequence[Output]) -> Measured:
    """All of the above, on the answers of one model."""
    shares: dict[Measure, Callable[[Output], float]] = {
        REPETITION: lambda each: repeated_share(each.text),
        DISTINCT: lambda each: distinct(each.text),
        EMPTY: lambda each: float(not words(each.text)),
        LENGTH: _length_distance,
        LANGUAGE: lambda each: float(_is_foreign(each)),
        LEAKAGE: lambda each: float(each.special_tokens > 0 or leaks_template(each.text)),
    }
    return {
        measure: by_document((each.document_id, share(each)) for each in outputs) for measure, share in shares.items()
    }


def distinct(text: str) -> float:
    """distinct-2: different pairs of words by all pairs (Li et al., NAACL 2016, §5.3); 0 without any."""
    pairs = list(pairwise(words(text)))
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def leaks_template(text: str) -> bool:
    """Whether a text holds what only a chat template writes: marks of turns, names of roles, tags of passages."""
    return bool(_MARK.search(text) or _PASSAGE.search(text))


def _length_distance(output: Output) -> float:
    """0 where both have as many words, or where the answer is only shorter because it was cut off at its limit."""
    said, wanted = len(words(output.text)), len(words(output.prompt.sample.answer))
    if not said or not wanted:
        return _FARTHEST if said != wanted else 0.0
    if not output.finished and said < wanted:
        return 0.0
    return min(_FARTHEST, abs(math.log(said / wanted)))


def _is_foreign(output: Output) -> bool:
    """Whether prose is wanted, and what is there can be told to be of another language."""
    found = detect_language(output.text)
    return found not in (None, output.prompt.sample.language) and is_prose(output.prompt.sample)
