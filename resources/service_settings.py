"""What of `twin.yaml` the service reads; a bento takes these sections along, and no author's sources."""

from pydantic import Field

from resources.access_settings import Access
from resources.section import Section
from resources.serving_settings import Serving
from resources.settings import Collection, Embedding, Retrieval, ScrubKind, Settings
from resources.tracing_settings import Tracing


class ServiceSettings(Section):
    """The sections of `twin.yaml` by their own names; `scrub` is collection's, `public` what each author leaves in."""

    serving: Serving = Serving()
    access: Access = Access()
    embedding: Embedding = Embedding()
    retrieval: Retrieval = Retrieval()
    tracing: Tracing = Tracing()
    scrub: tuple[ScrubKind, ...] = Collection().scrub
    public: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "ServiceSettings":
        """Those of a whole `twin.yaml`."""
        return cls(
            serving=settings.serving,
            access=settings.access,
            embedding=settings.embedding,
            retrieval=settings.retrieval,
            tracing=settings.tracing,
            scrub=settings.collection.scrub,
            public={key: author.public for key, author in settings.authors.items() if author.public},
        )
