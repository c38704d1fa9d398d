"""detect-secrets' plugins: those that know a secret by its form.

Left out is what finds too much. On 577 technical notes, read one by one: the entropy plugins 74 findings (hashes, ids,
signatures of assets), the keyword plugin 9 (`password = 'pw'`), basic auth 8 (`postgres:postgres@`), not one a secret;
public addresses are none. Rules of our own find private keys, web tokens and npm's, of which those plugins name a part
only, or all the rest of the line.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

from llm_twin_assets.domain.scrub.placeholders import is_filler
from llm_twin_assets.domain.scrub.spans import Span


class _Plugin(Protocol):
    def analyze_string(self, string: str) -> Iterator[str]: ...


# Each with the strings without which it can find nothing: most texts hold none of them and cost next to nothing.
_PLUGINS = (
    ("artifactory", "ArtifactoryDetector", ("AKC",)),
    ("aws", "AWSKeyDetector", ("AKIA", "ASIA", "ABIA", "ACCA", "A3T", "aws", "AWS")),
    ("azure_storage_key", "AzureStorageKeyDetector", ("AccountKey=",)),
    ("cloudant", "CloudantDetector", ("cloudant", "CLOUDANT")),
    ("github_token", "GitHubTokenDetector", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    ("gitlab_token", "GitLabTokenDetector", ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "gloas-", "GR1348941")),
    ("ibm_cloud_iam", "IbmCloudIamDetector", ("ibm", "IBM")),
    ("ibm_cos_hmac", "IbmCosHmacDetector", ("secret_key", "SECRET_KEY", "secret_access_key", "SECRET_ACCESS_KEY")),
    ("mailchimp", "MailchimpDetector", ("-us",)),
    ("openai", "OpenAIDetector", ("T3BlbkFJ",)),
    ("pypi_token", "PypiTokenDetector", ("pypi-AgE",)),
    ("sendgrid", "SendGridDetector", ("SG.",)),
    ("slack", "SlackDetector", ("xox",)),
    ("softlayer", "SoftlayerDetector", ("softlayer", "SOFTLAYER")),
    ("square_oauth", "SquareOAuthDetector", ("sq0csp-",)),
    ("stripe", "StripeDetector", ("k_live_",)),
    ("telegram_token", "TelegramBotTokenDetector", (":AA",)),
    ("twilio", "TwilioKeyDetector", ("AC", "SK")),
)
# The plugins are made for lines of source code; a line of a web page may be the whole page.
_BEFORE, _AFTER, _STEP = 120, 480, 240
_VALUE = re.compile(r"[^\s\"'`=:<>;,][^\s\"'`<>;,]{7,}")
_REST = re.compile(r"[\w-]*")


def plugin_secrets(text: str) -> Iterator[Span]:
    """Where the plugins find a secret."""
    for module, name, hints in _PLUGINS:
        if any(map(text.__contains__, hints)):
            plugin = _plugin(module, name)
            for start, end in _windows(text, hints):
                yield from _found(plugin, text, start, end)


def _windows(text: str, hints: tuple[str, ...]) -> Iterator[Span]:
    """Parts of lines around the hints: bounded, so that a pattern's worst case is, too."""
    for hint in hints:
        position = text.find(hint)
        while position >= 0:
            start, end = max(0, position - _BEFORE), position + _AFTER
            start += text[start:position].rfind("\n") + 1
            line_end = text.find("\n", position, end)
            yield start, line_end if line_end >= 0 else min(end, len(text))
            position = text.find(hint, position + _STEP if line_end < 0 else line_end)


def _found(plugin: _Plugin, text: str, start: int, end: int) -> Iterator[Span]:
    window = text[start:end]
    for value in {
        found for said in plugin.analyze_string(window) for found in _VALUE.findall(said.removeprefix("AccountKey="))
    }:
        if value.startswith(("http", "//", "APA", "APB")) or is_filler(value):
            continue
        place = window.find(value)
        while place >= 0:
            begin = start + place
            # In the middle of something longer it is an encoded file, not a token.
            if not begin or not (text[begin - 1].isalnum() or text[begin - 1] == "_"):
                rest = _REST.match(text, begin + len(value))
                yield begin, rest.end() if rest else begin + len(value)
            place = window.find(value, place + len(value))


@lru_cache(maxsize=len(_PLUGINS))
def _plugin(module: str, name: str) -> _Plugin:
    """Loaded on first use: the package imports `requests`."""
    return cast("_Plugin", getattr(import_module(f"detect_secrets.plugins.{module}"), name)())
