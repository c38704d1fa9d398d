"""What of `twin.yaml` the service reads; a bento takes these sections along, and no author's sources."""

from resources.section import Section
from resources.settings import Embedding, Retrieval, Serving, Settings


class ServiceSettings(Section):
    """The sections of `twin.yaml` by their own names."""

    serving: Serving = Serving()
    embedding: Embedding = Embedding()
    retrieval: Retrieval = Retrieval()

    @classmethod
    def of(cls, settings: Settings) -> "ServiceSettings":
        """Those of a whole `twin.yaml`."""
        return cls(serving=settings.serving, embedding=settings.embedding, retrieval=settings.retrieval)
