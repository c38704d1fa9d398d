"""A question to a chat model as OpenInference wants it in a trace."""

import json
from collections.abc import Mapping, Sequence

from resources.llm_cache import Reply
from resources.tracing import Value


def asked(body: Mapping[str, object], messages: Sequence[Mapping[str, object]]) -> dict[str, Value | None]:
    """Span attributes of a request (https://github.com/Arize-ai/openinference, semantic conventions)."""
    parameters = {key: value for key, value in body.items() if key not in ("model", "messages")}
    attributes: dict[str, Value | None] = {
        "openinference.span.kind": "LLM",
        "llm.model_name": str(body["model"]),
        "llm.invocation_parameters": json.dumps(parameters, ensure_ascii=False),
        "input.value": str(messages[-1]["content"]) if messages else "",
    }
    for number, message in enumerate(messages):
        attributes[f"llm.input_messages.{number}.message.role"] = str(message["role"])
        attributes[f"llm.input_messages.{number}.message.content"] = str(message["content"])
    return attributes


def answered(reply: Reply) -> dict[str, Value | None]:
    """Span attributes of a reply; one from the cache has cost no tokens."""
    counted = not reply.cached
    return {
        "output.value": reply.text,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": reply.text,
        "llm.token_count.prompt": reply.prompt_tokens if counted else None,
        "llm.token_count.completion": reply.completion_tokens if counted else None,
        "llm.token_count.total": reply.prompt_tokens + reply.completion_tokens if counted else None,
        "metadata": json.dumps({"cached": reply.cached, "finished": reply.finished}),
    }
