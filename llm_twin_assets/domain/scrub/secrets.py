"""Secrets of every form: private keys, tokens with a prefix of their own, and values that a name gives away."""

from collections.abc import Iterator

from llm_twin_assets.domain.scrub.credentials import credentials
from llm_twin_assets.domain.scrub.plugins import plugin_secrets
from llm_twin_assets.domain.scrub.private_keys import private_keys
from llm_twin_assets.domain.scrub.spans import Span
from llm_twin_assets.domain.scrub.tokens import tokens


def secrets(text: str, _code: bool) -> Iterator[Span]:
    """Where secrets are, in prose and code alike."""
    yield from private_keys(text)
    yield from tokens(text)
    yield from plugin_secrets(text)
    yield from credentials(text)
