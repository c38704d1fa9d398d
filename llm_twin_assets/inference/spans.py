"""What a trace of an answer says, in OpenInference's attribute names, so that Phoenix can draw it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference.engine import Generated, Sampling
from llm_twin_assets.inference.prompts import PASSAGES, SYSTEM, Message
from resources.tracing import Value

Attributes = dict[str, Value | None]


def project_of(author: str) -> str:
    """The Phoenix project of an author's twin."""
    return f"twin-{author}"


def question_asked(question: str, metadata: Mapping[str, object]) -> Attributes:
    """The root, when the question arrives."""
    return {"openinference.span.kind": "CHAIN", "input.value": question, "metadata": json.dumps(metadata)}


def answer_given(text: str, metadata: Mapping[str, object]) -> Attributes:
    """The root, when the answer is known; `metadata` is what Phoenix filters and alarms count by."""
    return {"output.value": text, "metadata": json.dumps(metadata)}


def retrieval_asked(question: str) -> Attributes:
    """The retrieval, before it runs."""
    return {"openinference.span.kind": "RETRIEVER", "input.value": question}


def documents_found(chunks: Sequence[FoundChunk], lacking: Sequence[str] = ()) -> Attributes:
    """The retrieval, with what it found and what it had to do without."""
    attributes: Attributes = {"metadata": json.dumps({"lacking": list(lacking)})} if lacking else {}
    for at, chunk in enumerate(chunks):
        document = f"retrieval.documents.{at}.document"
        attributes[f"{document}.id"] = chunk.chunk_id
        attributes[f"{document}.content"] = chunk.text
        attributes[f"{document}.score"] = float(chunk.score)
        attributes[f"{document}.metadata"] = json.dumps(
            {
                "document_id": chunk.document_id,
                "title": chunk.title,
                "context": chunk.context,
                "url": chunk.url,
                "category": chunk.category,
                "platform": chunk.platform,
                "start": chunk.start,
                "end": chunk.end,
                "dense_rank": chunk.dense_rank,
                "text_rank": chunk.text_rank,
                "rerank_score": chunk.rerank_score,
            }
        )
    return attributes


def model_asked(
    model: str, messages: Sequence[Message], sampling: Sampling, variables: Mapping[str, str], template_version: str
) -> Attributes:
    """The generation, before it runs."""
    attributes: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.model_name": model,
        "llm.invocation_parameters": json.dumps(asdict(sampling)),
        "llm.prompt_template.template": f"{SYSTEM}\n\n{PASSAGES}",
        "llm.prompt_template.variables": json.dumps(variables),
        "llm.prompt_template.version": template_version,
        "input.value": messages[-1]["content"],
    }
    for at, message in enumerate(messages):
        attributes[f"llm.input_messages.{at}.message.role"] = message["role"]
        attributes[f"llm.input_messages.{at}.message.content"] = message["content"]
    return attributes


def model_answered(generated: Generated) -> Attributes:
    """The generation, with what it gave."""
    return {
        "output.value": generated.text,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": generated.text,
        "llm.token_count.prompt": generated.prompt_tokens,
        "llm.token_count.completion": generated.completion_tokens,
        "llm.token_count.total": generated.prompt_tokens + generated.completion_tokens,
    }
