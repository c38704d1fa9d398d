"""What of a span leaves the process: whose words its attributes are, which of them are hidden, and masking of the rest.

It runs on the exporter's thread: masking an answer's trace takes some milliseconds, for which nobody should wait.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from resources.trace_steps import Step, Trace
from resources.tracing import Mask, Value
from resources.tracing_settings import Tracing


class Words(Enum):
    """Whose words an attribute is made of."""

    QUESTION = auto()
    PROMPT = auto()
    PASSAGE = auto()
    ANSWER = auto()
    VECTOR = auto()
    # Of a passage or a conversation; it stays, to find either by.
    NAME = auto()


# By OpenInference's attribute names; `input.value` and `output.value` depend on the step.
_WORDS = (
    (re.compile(r"\.embedding\.vector$"), Words.VECTOR),
    (re.compile(r"\.embedding\.text$|^reranker\.query$"), Words.QUESTION),
    (re.compile(r"\.document\.content$"), Words.PASSAGE),
    (re.compile(r"^llm\.input_messages\.\d+\.message\.content$"), Words.PROMPT),
    (re.compile(r"^session\.id$"), Words.NAME),
    (re.compile(r"^llm\.output_messages\.\d+\.message\.content$"), Words.ANSWER),
)
# These hold JSON. Of metadata only some keys are words: the others are figures, identities and places, which masking
# might break.
_VARIABLES = "llm.prompt_template.variables"
_METADATA = re.compile(r"(?:^|\.)metadata$")
_METADATA_WORDS = {"title": Words.NAME, "context": Words.PASSAGE, "reason": Words.ANSWER}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What of a step leaves."""

    step: Step
    attributes: Mapping[str, Value]
    events: Sequence[tuple[str, int, Mapping[str, str]]]
    error: str | None


def outgoing(trace: Trace, how: Tracing, masked: Mask) -> list[Outgoing]:
    """The steps of a trace as they may leave; what `masked` raises is raised."""
    known: dict[str, str] = {}

    def once(text: str) -> str:
        """A prompt stands in several attributes."""
        if text not in known:
            known[text] = _clean(masked(text) if how.mask else text)
        return known[text]

    return [_outgoing(step, how, once) for step in trace.steps]


def _outgoing(step: Step, how: Tracing, masked: Mask) -> Outgoing:
    attributes: dict[str, Value] = {}
    for key, value in step.attributes.items():
        if isinstance(value, str) and (key == _VARIABLES or _METADATA.search(key)):
            attributes[key] = _json(key, value, how, masked)
        elif (words := _words(key, step)) is None or not _is_hidden(words, how):
            attributes[key] = _said(value, words, masked)
    hides_words = how.hide_questions or how.hide_prompts
    error = step.error.partition(":")[0] if step.error and hides_words else step.error
    events = [(name, at, _event(said, masked, hides_words=hides_words)) for name, at, said in step.events]
    return Outgoing(step, attributes, events, error and masked(error))


def _words(key: str, step: Step) -> Words | None:
    kind = step.attributes.get("openinference.span.kind")
    if key == "input.value":
        return Words.PROMPT if kind == "LLM" else Words.QUESTION
    if key == "output.value":
        # A step that is no model's makes the question another one.
        return Words.ANSWER if kind == "LLM" or step.parent_id is None else Words.QUESTION
    return next((words for pattern, words in _WORDS if pattern.search(key)), None)


def _is_hidden(words: Words, how: Tracing) -> bool:
    return {
        Words.QUESTION: how.hide_questions,
        Words.PROMPT: how.hide_prompts or how.hide_questions,
        Words.PASSAGE: how.hide_prompts,
        Words.ANSWER: how.hide_answers,
        Words.VECTOR: how.hide_vectors,
        Words.NAME: False,
    }[words]


def _said(value: Value, words: Words | None, masked: Mask) -> Value:
    if not isinstance(value, str):
        return value
    return _clean(value) if words is None else masked(value)


def _json(name: str, value: str, how: Tracing, masked: Mask) -> str:
    """An object whose values are words of several kinds."""
    said: dict[str, object] = {}
    try:
        read = dict(json.loads(value))
    except ValueError:
        return masked(value)
    for key, each in read.items():
        words = Words.PROMPT if name == _VARIABLES else _METADATA_WORDS.get(key)
        if words is None or not isinstance(each, str):
            said[key] = each
        elif not _is_hidden(words, how):
            said[key] = masked(each)
    return json.dumps(said, ensure_ascii=False)


def _event(said: Mapping[str, str], masked: Mask, *, hides_words: bool) -> dict[str, str]:
    return {key: masked(value) for key, value in said.items() if not hides_words or key == "exception.type"}


def _clean(text: str) -> str:
    """Without what protobuf (lone surrogates) and PostgreSQL (NUL) refuse: one such text would cost its whole batch."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
