"""What `twin.yaml` says of serving, and what BentoML is to leave alone."""

from pathlib import Path
from typing import Final, TypedDict

from pydantic import ValidationError

from resources.errors import ConfigurationError
from resources.service_settings import ServiceSettings
from resources.settings import Environment, Settings
from resources.yaml_source import YamlSource

# In a bento alone: what twin.yaml said when `twin bento` built it.
TAKEN_ALONG = Path(__file__).with_name("serving.yaml")


class _Tracing(TypedDict):
    excluded_urls: list[str]


# BentoML's own OpenTelemetry spans, which nobody collects, take 1.6 ms of processor time a request (1.4.39); the steps
# of an answer are traced by resources/phoenix_tracer. BentoML's configuration file may say otherwise.
NO_TRACING: Final[_Tracing] = {"excluded_urls": [".*"]}


def service_settings(environment: Environment) -> ServiceSettings:
    """What serving needs to know: of `twin.yaml`, else as the bento took it along, else the defaults."""
    if environment.config.is_file():
        return ServiceSettings.of(Settings.load(environment.config))
    if not TAKEN_ALONG.is_file():
        return ServiceSettings()
    try:
        return ServiceSettings.model_validate(YamlSource.read(TAKEN_ALONG).value)
    except ValidationError as error:
        raise ConfigurationError(
            f"does not fit this code: {error.errors()[0]['msg']}", where=str(TAKEN_ALONG), mend="Build the bento anew."
        ) from None
