"""A chat model behind an OpenAI-compatible API: vLLM, llama.cpp, Ollama, or a service."""

import json
import os
import time
from typing import TYPE_CHECKING

from resources.errors import TwinError
from resources.http.body import ACCEPT_ENCODING, Body
from resources.http.errors import BrokenError, HttpError
from resources.settings import Llm

if TYPE_CHECKING:
    import httpx

# More than any rewritten question takes, and little enough to be read while somebody waits.
_MAX_BYTES = 2**20
_MAX_RATIO = 100


class LlmError(TwinError):
    """The chat model could not be reached, refused, or answered with something that is no answer."""


class ChatModel:
    """One question, one answer; nothing is kept between two. Raises `LlmError`."""

    def __init__(self, settings: Llm) -> None:
        self._settings = settings

    def complete(self, system: str, user: str) -> str:
        """What the model answers, temperature 0."""
        # Imported here: few who search have a chat model.
        import httpx

        body = {
            "model": self._settings.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "temperature": 0,
            "max_tokens": self._settings.max_tokens,
        }
        key = os.environ.get("TWIN_LLM_API_KEY")
        try:
            # httpx follows no redirects unless told to: a key must not travel to another host.
            with httpx.stream(
                "POST",
                f"{self._settings.url.rstrip('/')}/chat/completions",
                json=body,
                headers={"Accept-Encoding": ACCEPT_ENCODING, **({"Authorization": f"Bearer {key}"} if key else {})},
                timeout=self._settings.timeout,
            ) as response:
                response.raise_for_status()
                received = self._received(response)
            answered = json.loads(received)["choices"][0]["message"]["content"]
        except (httpx.HTTPError, HttpError, BrokenError) as error:
            raise self._error(f"the chat model cannot be asked: {error or type(error).__name__}") from error
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise self._error("the chat model answered with something other than a chat completion") from error
        if not isinstance(answered, str) or not answered.strip():
            raise self._error("the chat model answered with nothing")
        return answered.strip()

    def _received(self, response: "httpx.Response") -> bytes:
        """The body, bounded in size and in time: httpx's own timeout is for each read, and some never end."""
        end = time.monotonic() + self._settings.timeout
        coding = response.headers.get("content-encoding", "")
        body = Body(coding, limit=_MAX_BYTES, max_ratio=_MAX_RATIO, where=self._settings.url)
        for data in response.iter_raw():
            body.feed(data)
            if time.monotonic() > end:
                raise BrokenError(f"took longer than {self._settings.timeout:g} s")
        return body.end()

    def _error(self, what: str) -> LlmError:
        return LlmError(what, where=self._settings.url, mend="See retrieval.rewriting.llm in twin.yaml.")
