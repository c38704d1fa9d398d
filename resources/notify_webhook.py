"""A notice as Slack takes it, to a webhook. Its address is a secret and appears nowhere: not in logs, not in errors."""

import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from resources.http.retry import asked_wait, may_be_transient
from resources.notice import Notice, NotSentError, held_by, refused_certificate
from resources.notification_settings import Webhook
from resources.tls import trusted

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
# What Slack takes of a header, a section's text and one of its fields, and how many fields.
_HEADER, _TEXT, _FIELD, _FIELDS = 150, 3000, 2000, 10


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts a notice; `timeout` (seconds) is for the connection and each read."""

    settings: Webhook
    timeout: float
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """By the variable that holds the address."""
        return f"webhook {self.settings.url_variable}"

    def send(self, notice: Notice) -> None:
        """Post it once; redirects are not followed, the address is meant for one host. Raises `NotSentError`."""
        # httpx logs each address that it asks for; its engine does not.
        import httpcore

        url = self._address()
        tls = (self.tls or trusted()) if url.startswith("https:") else None
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self.timeout)
        headers = [("Content-Type", "application/json"), ("User-Agent", "llm-twin")]
        try:
            with (
                httpcore.ConnectionPool(ssl_context=tls) as pool,
                pool.stream(
                    "POST", url, headers=headers, content=json.dumps(payload(notice)).encode(),
                    extensions={"timeout": timeouts},
                ) as response,
            ):  # fmt: skip
                status, answered = response.status, response.headers
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            invalid = refused_certificate(error)
            raise NotSentError(invalid or f"no answer ({type(error).__name__})", final=invalid is not None) from None
        _check(status, answered)

    def _address(self) -> str:
        import httpx

        url = held_by(self.settings.url_variable)
        try:
            parts = httpx.URL(url)
            scheme, host = parts.scheme, parts.host
        except (httpx.InvalidURL, UnicodeError):
            scheme = host = ""
        if host and (scheme == "https" or (scheme == "http" and host in _THIS_MACHINE)):
            return str(parts)
        raise NotSentError(f"the variable {self.settings.url_variable} holds no https address", final=True)


def _check(status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
    if 200 <= status < 300:
        return
    said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    raise NotSentError(
        f"answered {status}", final=not may_be_transient(status, said), wait=asked_wait(status, said, time.time())
    )


def payload(notice: Notice) -> dict[str, object]:
    """Slack's JSON: `blocks` for Slack, and the same as `text` for whoever knows no blocks, and for notifications."""
    fields = [{"type": "mrkdwn", "text": f"*{_safe(name)}*\n{_safe(value)}"[:_FIELD]} for name, value in notice.facts]
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": notice.heading[:_HEADER]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _safe(notice.text)[:_TEXT]}},
    ]
    if fields:
        blocks.append({"type": "section", "fields": fields[:_FIELDS]})
    return {"text": _safe(f"{notice.heading}\n{notice.plain}"), "blocks": blocks}


def _safe(text: str) -> str:
    """Slack's own three escapes: without them `<!channel>` in an author's key or a note would ring for everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
