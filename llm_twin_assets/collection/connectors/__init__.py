"""The connectors: a module in this folder that defines `CONNECTOR` is a platform. Nothing else has to name it."""

import difflib
import importlib
import pkgutil
from functools import cache

from llm_twin_assets.collection.connector import Connector, SourceOptions
from resources.errors import ConfigurationError


@cache
def all_connectors() -> dict[str, Connector[SourceOptions]]:
    """Every connector by its platform, in the order of their names."""
    found: dict[str, Connector[SourceOptions]] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        declared = getattr(importlib.import_module(f"{__name__}.{module.name}"), "CONNECTOR", None)
        if isinstance(declared, Connector):
            found[declared.platform] = declared
    return found


def connector(platform: str) -> Connector[SourceOptions]:
    """The connector of a platform; raises `ConfigurationError` that lists the known ones."""
    known = all_connectors()
    if platform in known:
        return known[platform]
    near = difflib.get_close_matches(platform, known, n=1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    raise ConfigurationError(f"unknown platform '{platform}'", mend=f"{hint}Known platforms: {', '.join(known)}.")
