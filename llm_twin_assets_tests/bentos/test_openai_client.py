"""The official client of OpenAI, and a plain reader of server-sent events, against a port that answers."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Door
from llm_twin_assets_tests.bentos import servers
from llm_twin_assets_tests.bentos.scripted import TRUE, Scripted
from llm_twin_assets_tests.inference.tiny_twin import DOCUMENTS
from resources.api_keys import Keyring, new_key, write_keys
from resources.embedder import Embedder

if TYPE_CHECKING:
    import openai  # two seconds, which every process that only collects the tests would spend

QUESTION = "How should I split samples into training and test set?"
ASKED = [{"role": "user", "content": QUESTION}]
TEXTS = {each.document_id: each.text for each in DOCUMENTS}
ALL, MAYA_ONLY = new_key("all"), new_key("maya", authors=("maya",), endpoints=("answer",))


@pytest.fixture(scope="module")
def url(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    write_keys(keys, [ALL[1], MAYA_ONLY[1]])
    app = create_app()
    open_up(app, desk, Door(Keyring(keys)))
    with servers.in_thread(app) as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> "Iterator[openai.OpenAI]":
    import openai

    with openai.OpenAI(base_url=f"{url}/v1", api_key=ALL[0], max_retries=0, timeout=30) as made:
        yield made


def test_a_completion_is_the_answer_with_its_citations_beside_it(client: "openai.OpenAI"):
    given = client.chat.completions.create(model="maya", messages=ASKED)
    choice = given.choices[0]
    assert choice.message.content is not None
    assert choice.message.content.startswith("Split by document before you make a single sample.")
    assert (choice.finish_reason, choice.message.role, given.model) == ("stop", "assistant", "maya")
    assert given.usage is not None
    assert given.usage.total_tokens == given.usage.prompt_tokens + given.usage.completion_tokens > 0
    twin = given.model_extra["twin"]
    assert (twin["release"], twin["degraded"]) == ("maya-000001", False)
    for each in twin["citations"]:
        assert TEXTS[each["document_id"]][each["start"] : each["end"]] == each["quote"]
        assert f"[{each['marker']}]" in choice.message.content


def test_a_stream_says_the_same_and_ends_with_usage(client: "openai.OpenAI"):
    whole = client.chat.completions.create(model="maya", messages=ASKED)
    chunks = list(
        client.chat.completions.create(
            model="maya", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    said = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
    assert said == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "stop"
    assert len({each.id for each in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].model_extra["twin"]["citations"] == whole.model_extra["twin"]["citations"]


def test_what_is_asked_of_the_sampling_reaches_the_engine(client: "openai.OpenAI", engine: Scripted):
    history = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Good day."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    client.chat.completions.create(
        model="maya",
        messages=history,
        temperature=0.7,
        top_p=0.9,
        seed=5,
        stop=["\n\n", "##"],
        max_completion_tokens=48,
    )
    messages, sampling = engine.asked[-1]
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.7, 0.9, 5)
    assert (sampling.stop, sampling.max_new_tokens) == (("\n\n", "##"), 48)
    assert "pirate" not in str(messages)
    client.chat.completions.create(model="maya", messages=ASKED, max_tokens=8000)
    assert engine.asked[-1][1].max_new_tokens == 64
    assert engine.asked[-1][1].temperature == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 2},
        {"temperature": 3},
        {"messages": []},
        {"messages": [*ASKED, {"role": "assistant", "content": "So."}]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"role": "user", "content": "w" * 2001}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
    ],
)
def test_what_a_twin_cannot_do_is_refused_in_openais_shape(client: "openai.OpenAI", wrong: dict[str, object]):
    import openai

    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": "maya", "messages": ASKED, **wrong})
    assert caught.value.type == "invalid_request_error"
    assert caught.value.code == "invalid_request"
    assert "Traceback" not in str(caught.value)


def test_every_author_is_a_model(client: "openai.OpenAI"):
    import openai

    assert [each.id for each in client.models.list()] == ["ben", "maya"]
    assert client.models.retrieve("ben").owned_by == "Maya Lindqvist"
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-4.1", messages=ASKED)
    assert caught.value.code == "model_not_found"


def test_embeddings_are_those_that_search_uses(client: "openai.OpenAI", embedder: Embedder):
    given = client.embeddings.create(model="maya", input=["a ferry", "a loom"])
    floats = client.embeddings.create(model="maya", input="a loom", encoding_format="float")
    expected = embedder.encode(["a ferry", "a loom"])
    np.testing.assert_allclose([each.embedding for each in given.data], expected, atol=1e-6)
    np.testing.assert_allclose(floats.data[0].embedding, expected[1], atol=1e-6)
    assert given.usage.prompt_tokens > floats.usage.prompt_tokens > 0


def test_a_key_sees_its_own_authors_and_endpoints_alone(url: str):
    import openai

    with openai.OpenAI(base_url=f"{url}/v1", api_key=MAYA_ONLY[0], max_retries=0) as limited:
        assert [each.id for each in limited.models.list()] == ["maya"]
        assert limited.chat.completions.create(model="maya", messages=ASKED).choices
        with pytest.raises(openai.NotFoundError):
            limited.chat.completions.create(model="ben", messages=ASKED)
        with pytest.raises(openai.PermissionDeniedError):
            limited.embeddings.create(model="maya", input="a")
    with openai.OpenAI(base_url=f"{url}/v1", api_key="twin_wrong", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as caught:
            stranger.models.list()
        assert caught.value.code == "invalid_api_key"


def test_a_plain_reader_gets_deltas_and_then_the_answer(url: str):
    headers = {"Authorization": f"Bearer {ALL[0]}"}
    events = []
    asked = {"question": QUESTION, "author": "maya", "stream": True}
    with httpx.stream("POST", f"{url}/v1/answer", json=asked, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for block in "".join(response.iter_text()).split("\n\n")[:-1]:
            name, data = block.split("\n")
            events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    assert [name for name, _ in events][-1] == "answer"
    answer = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "delta") == answer["answer"]
    lineage = httpx.get(f"{url}/v1/answers/{answer['answer_id']}/lineage", headers=headers).json()
    assert (lineage["release"]["dataset"], lineage["release"]["snapshot"]) == ("dataset-tiny", "snapshot-tiny")
    assert {each["document_id"] for each in lineage["documents"]} == {
        each["document_id"] for each in answer["citations"]
    }
    other = {"Authorization": f"Bearer {MAYA_ONLY[0]}"}
    assert httpx.get(f"{url}/v1/answers/{answer['answer_id']}/lineage", headers=other).status_code == 200
    assert httpx.get(f"{url}/v1/answers/none/lineage", headers=headers).status_code == 404


def test_search_and_drafts_say_where_their_words_stand(url: str, engine: Scripted):
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ALL[0]}"}) as native:
        found = native.post("/v1/search", json={"query": "perplexity", "author": "maya", "k": 2}).json()
        assert 1 <= len(found["chunks"]) <= 2
        for each in found["chunks"]:
            assert TEXTS[each["document_id"]][each["start"] : each["end"]] == each["text"]
        draft = native.post("/v1/write", json={"topic": QUESTION, "form": "article", "author": "maya"}).json()
        assert "opening of the article" in str(engine.asked[-1][0])
        assert draft["answer"].startswith(TRUE.split(".")[0])
        assert draft["citations"]
        assert native.get("/v1/authors").json()["authors"] == [
            {"author": name, "author_name": "Maya Lindqvist", "release": f"{name}-000001"} for name in ("ben", "maya")
        ]


def test_without_style_the_author_is_quoted_and_no_model_asked(url: str, engine: Scripted):
    asked = {"question": QUESTION, "author": "maya", "style": False}
    given = httpx.post(f"{url}/v1/answer", json=asked, headers={"Authorization": f"Bearer {ALL[0]}"}).json()
    assert (given["outcome"], given["degraded"], given["usage"]["completion_tokens"]) == ("quoted", False, 0)
    assert engine.asked == []
