"""What `twin.yaml` says of serving."""

from resources.service_settings import Service
from resources.settings import Embedding, Environment, Retrieval, Serving, Settings


def sections(environment: Environment) -> tuple[Serving, Embedding, Retrieval, Service]:
    """The sections that serving needs; the defaults where there is no such file, as in a bento."""
    if not environment.config.is_file():
        return Serving(), Embedding(), Retrieval(), Service()
    settings = Settings.load(environment.config)
    return settings.serving, settings.embedding, settings.retrieval, settings.service
