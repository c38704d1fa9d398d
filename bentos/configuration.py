"""What `twin.yaml` says of serving."""

from pathlib import Path

from pydantic import ValidationError

from resources.errors import ConfigurationError
from resources.service_settings import ServiceSettings
from resources.settings import Environment, Settings
from resources.yaml_source import YamlSource

# In a bento alone: what twin.yaml said when `twin bento` built it.
TAKEN_ALONG = Path(__file__).with_name("serving.yaml")


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
