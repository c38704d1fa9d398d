"""What can go wrong with one document, without stopping the others."""

from resources.errors import TwinError


class CleaningError(TwinError):
    """A document cannot be cleaned; it is quarantined, not fatal."""
