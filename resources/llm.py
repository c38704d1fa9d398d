"""A chat model asked one question while somebody waits: one attempt, nothing kept."""

import asyncio
import time

from resources.errors import ConfigurationError
from resources.llm_errors import LlmError, TransientError
from resources.llm_exchange import ChatExchange
from resources.llm_settings import ChatEndpoint


class ChatModel:
    """One question, one answer; nothing is kept between two."""

    def __init__(self, endpoint: ChatEndpoint) -> None:
        self._endpoint = endpoint

    def complete(self, system: str, user: str) -> str:
        """What the model answers within its `patience.timeout`; raises `LlmError`. Not for use in an event loop."""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        try:
            text = asyncio.run(self._asked(self._endpoint.request(messages)))
        except TransientError as error:
            raise self._error(f"the chat model cannot be asked: {error}") from error
        except ConfigurationError as error:
            # A question is searched for all the same: the retriever goes on without a rewriter that fails.
            raise self._error(error.what) from error
        if not text.strip():
            raise self._error("the chat model answered with nothing")
        return text.strip()

    async def _asked(self, body: dict[str, object]) -> str:
        exchange = ChatExchange(self._endpoint)
        try:
            return (await exchange.ask(body, time.time())).text
        finally:
            await exchange.aclose()

    def _error(self, what: str) -> LlmError:
        return LlmError(what, where=self._endpoint.url, mend="See retrieval.rewriting.llm in twin.yaml.")
