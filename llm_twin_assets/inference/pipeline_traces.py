"""Where a pipeline's questions to a chat model are traced: apart from answers, whose figures they would distort."""

from collections.abc import Iterator
from contextlib import contextmanager

from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.inference.spans import project_of
from resources.settings import Environment, Settings
from resources.tracing import Project, tracer_for


@contextmanager
def pipeline_traces(author: str, settings: Settings) -> Iterator[Project]:
    """The project of an author's pipelines; what is traced is sent by the end of the block, within seconds or never."""
    scrubber = Scrubber.of(settings.collection.scrub, settings.author(author).public)
    tracer = tracer_for(Environment.current().phoenix_url, settings.tracing)
    try:
        yield Project(tracer, f"{project_of(author)}-pipelines", scrubber.masked)
    finally:
        tracer.close()
