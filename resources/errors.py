"""The one base of every error this project raises on purpose."""


class TwinError(Exception):
    """Something a person can mend: says what is wrong, where, and what to do.

    `str(error)` is one line, ready for a terminal: ``where: what. mend``.
    """

    def __init__(self, what: str, *, where: str | None = None, mend: str | None = None) -> None:
        self.what = what
        self.where = where
        self.mend = mend
        line = f"{where}: {what}" if where else what
        super().__init__(f"{line.rstrip('.')}. {mend}" if mend else line)


class ConfigurationError(TwinError):
    """`twin.yaml` or the environment asks for something that cannot be honoured."""


class StorageError(TwinError):
    """A table, object or index is missing, unreadable or not what its record says."""


class ModelNotFoundError(TwinError):
    """A model that the configuration names cannot be had from disk, package or hub."""


class EmbeddingError(TwinError):
    """A text that cannot be embedded, or an embedding model whose output is no vector."""
