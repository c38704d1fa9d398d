from collections.abc import Iterator

import pytest

from llm_twin_assets.inference.pipeline_traces import pipeline_traces
from llm_twin_assets_tests.resources.collector import Collector, attributes, collecting
from resources.settings import Author, Collection, Settings, Source


@pytest.fixture
def phoenix(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("PHOENIX_URL", collector.url)
        yield collector


def said_by(phoenix: Collector, **sections: object) -> list[str]:
    author = Author(name="Maya", public=("maya@loomworks.dev",), sources=(Source(platform="files"),))
    settings = Settings(authors={"maya": author}, collection=Collection(scrub=("email",)), **sections)
    with pipeline_traces("maya", settings) as project, project.trace("chat completion") as span:
        asked = "maya@loomworks.dev asks anna@loomworks.dev, +46 70 123 45 67"
        span.set({"openinference.span.kind": "LLM", "input.value": asked, "llm.token_count.total": 3})
    return [attributes(span).get("input.value") for span in phoenix.spans.get("twin-maya-pipelines", [])]


def test_what_pipelines_ask_is_masked_as_collection_masks_and_sent_by_the_end(phoenix: Collector):
    assert said_by(phoenix) == ["maya@loomworks.dev asks [email], +46 70 123 45 67"]


@pytest.mark.parametrize(
    ("tracing", "said"), [({"hide_prompts": True}, [None]), ({"hide_questions": True}, [None]), ({"sample": 0.0}, [])]
)
def test_the_settings_of_tracing_hold_for_pipelines(phoenix: Collector, tracing: dict, said: list):
    assert said_by(phoenix, tracing=tracing) == said
