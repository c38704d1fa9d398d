"""What `twin.yaml` says of serving."""

from llm_twin_assets.domain.scrub import Scrubber
from resources.access_settings import Access
from resources.settings import Embedding, Environment, Retrieval, Serving, Settings


def sections(environment: Environment) -> tuple[Serving, Embedding, Retrieval, Access]:
    """The sections that serving needs; the defaults where there is no such file, as in a bento."""
    if not environment.config.is_file():
        return Serving(), Embedding(), Retrieval(), Access()
    settings = Settings.load(environment.config)
    return settings.serving, settings.embedding, settings.retrieval, settings.access


def scrubber_of(environment: Environment, author: str) -> Scrubber | None:
    """What takes out of answers what collection takes out of documents; None where no file says."""
    if not environment.config.is_file():
        return None
    settings = Settings.load(environment.config)
    known = settings.authors.get(author)
    return Scrubber.of(settings.collection.scrub, known.public if known else ())
