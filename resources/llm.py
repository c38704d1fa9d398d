"""A chat model behind an OpenAI-compatible API: vLLM, llama.cpp, Ollama, or a service."""

import os

from resources.errors import TwinError
from resources.settings import Llm


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
            # follow_redirects stays off: a key must not travel to another host.
            response = httpx.post(
                f"{self._settings.url.rstrip('/')}/chat/completions",
                json=body,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=self._settings.timeout,
            )
            response.raise_for_status()
            answered = response.json()["choices"][0]["message"]["content"]
        except httpx.HTTPError as error:
            raise self._error(f"the chat model cannot be asked: {error or type(error).__name__}") from error
        except (ValueError, LookupError, TypeError) as error:
            raise self._error("the chat model answered with something other than a chat completion") from error
        if not isinstance(answered, str) or not answered.strip():
            raise self._error("the chat model answered with nothing")
        return answered.strip()

    def _error(self, what: str) -> LlmError:
        return LlmError(what, where=self._settings.url, mend="See retrieval.rewriting.llm in twin.yaml.")
