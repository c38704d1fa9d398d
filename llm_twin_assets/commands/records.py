"""Where the commands find what is on record."""

from typing import TYPE_CHECKING

from resources.settings import Environment

if TYPE_CHECKING:
    from resources.object_store import ObjectStore


def records() -> "ObjectStore":
    """The store of records below the home; imported when it is needed, `twin --help` does without."""
    from resources.object_store import ObjectStore

    return ObjectStore(Environment.current().under("objects"))
