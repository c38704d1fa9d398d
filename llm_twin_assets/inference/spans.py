"""What a trace of an answer says, in OpenInference's attribute names, so that Phoenix can draw it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache

from llm_twin_assets.inference.asked import Asked, Asker
from llm_twin_assets.inference.engine import Engine, Generated
from llm_twin_assets.inference.prompts import PASSAGES, SYSTEM, Message, prompt_digest
from llm_twin_assets.inference.twin import Answer, Twin
from resources.tracing import Value

Attributes = dict[str, Value | None]
Labels = Mapping[str, object]

# As OpenInference's own instrumentation of chat models has it.
FIRST_TOKEN = "First Token Stream Event"  # noqa: S105 — a token of text

# Of a question, for its digest: masking a page of it would take longer than all the rest of tracing.
_DIGESTED = 1000


def project_of(author: str) -> str:
    """The Phoenix project of an author's twin."""
    return f"twin-{author}"


def labels_of(twin: Twin, asked: Asked) -> Labels:
    """What is known of an answer before there is one."""
    return {
        **_released(twin),
        "form": asked.form or "answer",
        "question_digest": _question_digest(twin, asked.question),
    }


def question_asked(asked: Asked, labels: Labels) -> Attributes:
    """The root, when the question arrives."""
    return {
        "openinference.span.kind": "CHAIN",
        "input.value": asked.question,
        **_asker(asked.asker),
        "metadata": json.dumps(labels),
    }


def answer_given(given: Answer, labels: Labels) -> Attributes:
    """The root, when the answer is known; its metadata is what Phoenix filters and alarms count by."""
    figures = {
        "outcome": given.outcome.value,
        "degraded": given.degraded,
        "cause": given.cause,
        "reason": given.reason,
        "support": round(given.support, 3),
        "citations": len(given.citations),
        "cached": given.cached,
        "relevance": _rounded(given.relevance),
        "first_token_ms": _rounded(given.first_token_ms),
        # What was remembered costs no tokens.
        "prompt_tokens": 0 if given.cached else given.prompt_tokens,
        "completion_tokens": 0 if given.cached else given.completion_tokens,
        "personal_data": given.personal_data,
    }
    known = {key: value for key, value in figures.items() if value is not None}
    return {"output.value": given.text, "metadata": json.dumps({**labels, **known})}


def search_asked(twin: Twin, query: str, asker: Asker) -> Attributes:
    """The root of a search for which nothing is written."""
    return {
        "openinference.span.kind": "CHAIN",
        "input.value": query,
        **_asker(asker),
        "metadata": json.dumps(_released(twin)),
    }


def model_asked(engine: Engine, messages: Sequence[Message], asked: Asked, variables: Mapping[str, str]) -> Attributes:
    """The generation, before it runs."""
    attributes: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.model_name": engine.name,
        "llm.invocation_parameters": json.dumps(asdict(asked.sampling)),
        "llm.prompt_template.template": f"{SYSTEM}\n\n{PASSAGES}",
        "llm.prompt_template.variables": json.dumps({**variables, "passages": _passages(messages[-1]["content"])}),
        "llm.prompt_template.version": _template_version(),
        "input.value": messages[-1]["content"],
    }
    for at, message in enumerate(messages):
        attributes[f"llm.input_messages.{at}.message.role"] = message["role"]
        attributes[f"llm.input_messages.{at}.message.content"] = message["content"]
    return attributes


def model_answered(generated: Generated, first_token_ms: float | None) -> Attributes:
    """The generation, with what it gave; milliseconds are from the question's arrival."""
    return {
        "output.value": generated.text,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": generated.text,
        "llm.token_count.prompt": generated.prompt_tokens,
        "llm.token_count.completion": generated.completion_tokens,
        "llm.token_count.total": generated.prompt_tokens + generated.completion_tokens,
        "metadata": None if first_token_ms is None else json.dumps({"first_token_ms": round(first_token_ms, 1)}),
    }


@cache
def _template_version() -> str:
    return prompt_digest()


def _released(twin: Twin) -> Labels:
    return {"author": twin.author, "canary": False, **twin.labels}


def _question_digest(twin: Twin, question: str) -> str:
    """The same for the same question: repeats are seen without its words."""
    words = twin.masked(question[:_DIGESTED]).casefold().split()
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()[:16]


def _asker(asker: Asker) -> Attributes:
    return {"session.id": asker.session, "user.id": asker.user}


def _passages(content: str) -> str:
    """What the template's `{passages}` became."""
    before, between, _ = PASSAGES.replace("{question}", "{passages}").split("{passages}")
    passages, _, _ = content.removeprefix(before).rpartition(between)
    return passages


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
