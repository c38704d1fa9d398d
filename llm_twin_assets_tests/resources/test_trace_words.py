"""What leaves of a trace: masked, hidden, and never more than the configuration allows."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets_tests.resources.collector import attributes, collecting
from resources.errors import ConfigurationError
from resources.phoenix_tracer import phoenix_tracer
from resources.tracing import Mask, Value
from resources.tracing_settings import Tracing

EMAIL = "maya.lind@loomworks.dev"
CHUNK = "8f14e45fceea167a5a36dedd4bea2543"
SAID: dict[str, dict[str, Value]] = {
    "answer": {
        "openinference.span.kind": "CHAIN",
        "input.value": f"a QUESTION to {EMAIL}",
        "output.value": f"an ANSWER to {EMAIL}",
        "session.id": f"of {EMAIL}",
        "user.id": "5ec1",
        "metadata": json.dumps({"release": "maya-1", "citations": 3, "reason": f"for an ANSWER, {EMAIL}"}),
    },
    "rewrite": {
        "openinference.span.kind": "CHAIN",
        "input.value": f"a QUESTION to {EMAIL}",
        "output.value": f"a QUESTION to {EMAIL}",
    },
    "embed": {
        "openinference.span.kind": "EMBEDDING",
        "embedding.embeddings.0.embedding.text": f"a QUESTION to {EMAIL}",
        "embedding.embeddings.0.embedding.vector": [0.25, 0.5],
    },
    "retrieve": {
        "openinference.span.kind": "RETRIEVER",
        "input.value": f"a QUESTION to {EMAIL}",
        "retrieval.documents.0.document.id": CHUNK,
        "retrieval.documents.0.document.score": 0.5,
        "retrieval.documents.0.document.content": f"a PASSAGE of {EMAIL}",
        "retrieval.documents.0.document.metadata": json.dumps(
            {"document_id": CHUNK, "title": f"Title {EMAIL}", "context": f"PASSAGE {EMAIL}", "start": 4155551234}
        ),
    },
    "rerank": {
        "openinference.span.kind": "RERANKER",
        "reranker.query": f"a QUESTION to {EMAIL}",
        "input.value": f"a QUESTION to {EMAIL}",
        "reranker.output_documents.0.document.content": f"a PASSAGE of {EMAIL}",
    },
    "generate": {
        "openinference.span.kind": "LLM",
        "llm.model_name": "tiny",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": f"a PROMPT with a PASSAGE and a QUESTION to {EMAIL}",
        "llm.prompt_template.template": "{passages} {question}",
        "llm.prompt_template.variables": json.dumps({"passages": "PASSAGE", "question": f"QUESTION {EMAIL}"}),
        "input.value": f"a PROMPT with a PASSAGE and a QUESTION to {EMAIL}",
        "output.value": f"an ANSWER to {EMAIL}",
        "llm.output_messages.0.message.content": f"an ANSWER to {EMAIL}",
        "llm.token_count.total": 12,
    },
}


def masked(text: str) -> str:
    return Scrubber.of(("email",)).scrub(text).text


def arrived(how: Tracing, mask: Mask = masked) -> Mapping[str, Mapping[str, object]]:
    """The trace above, through the whole way to a collector and back."""
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url, how)
        try:
            with tracer.trace("twin-maya", "answer", mask) as root:
                root.set(SAID["answer"])
                for name in list(SAID)[1:]:
                    with root.child(name) as step:
                        step.set(SAID[name])
                raise LookupError(f"a QUESTION to {EMAIL} went wrong")
        except LookupError:
            pass
        tracer.close()
    arrived.lost = tracer.lost_spans
    found = [span for spans in collector.spans.values() for span in spans]
    events = {f"event {at}": attributes(event) for span in found for at, event in enumerate(span.events)}
    return {**{span.name: {**attributes(span), "status": span.status.message} for span in found}, **events}


def test_personal_data_is_masked_wherever_it_stands_and_nothing_else_is_touched():
    found = arrived(Tracing())
    assert EMAIL not in str(found)
    assert "8f14e45f" in str(found)
    masks = {
        name: {key: value.replace(EMAIL, "[email]") if isinstance(value, str) else value for key, value in said.items()}
        for name, said in SAID.items()
    }
    for name, said in masks.items():
        assert {**found[name], "status": None} == {**said, "status": None}, name
    assert found["answer"]["status"] == "LookupError: a QUESTION to [email] went wrong"
    assert "[email] went wrong" in found["event 0"]["exception.stacktrace"]


def test_it_is_only_unmasked_if_that_is_said():
    assert EMAIL in str(arrived(Tracing(mask=False)))


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        ("hide_questions", ("QUESTION", "PROMPT")),
        ("hide_prompts", ("PROMPT", "PASSAGE")),
        ("hide_answers", ("ANSWER",)),
        ("hide_vectors", ("vector",)),
    ],
)
def test_what_is_hidden_is_left_out_and_figures_stay(hidden: str, words: tuple[str, ...]):
    found = arrived(Tracing(**{hidden: True}))
    assert [word for word in words if word in str(found)] == []
    stays = {"QUESTION", "PASSAGE", "ANSWER", "vector"} - set(words)
    assert [word for word in sorted(stays) if word not in str(found)] == []
    assert json.loads(found["answer"]["metadata"])["citations"] == 3
    assert found["generate"]["llm.token_count.total"] == 12
    known = json.loads(found["retrieve"]["retrieval.documents.0.document.metadata"])
    assert (known["document_id"], known["start"], known["title"]) == (CHUNK, 4155551234, "Title [email]")
    assert found["answer"]["status"].startswith("LookupError")


def test_a_trace_that_cannot_be_masked_stays_here():
    def fails(_: str) -> str:
        raise ConfigurationError("presidio is not installed")

    assert arrived(Tracing(), fails) == {}
    assert arrived.lost == len(SAID)


TEXTS = st.lists(st.text(alphabet=st.characters(), max_size=60), min_size=1, max_size=30)


@settings(deadline=None, max_examples=10)
@given(texts=TEXTS)
def test_any_text_arrives(texts: list[str]):
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url)
        with tracer.trace("twin-maya", "answer", str) as root:
            root.set({f"session.{at}": text for at, text in enumerate(texts)})
            root.set({"metadata": json.dumps({"reason": texts[0], "cause": texts[-1]})})
        tracer.close()
    [span] = collector.spans["twin-maya"]
    said = attributes(span)
    expected = [text.encode("utf-8", "replace").decode().replace("\0", "") for text in texts]
    assert [said[f"session.{at}"] for at in range(len(texts))] == expected
    assert json.loads(said["metadata"])["reason"] == expected[0]
