"""Whose answers are rejected: a model on this machine, in a process of its own, or one behind an API.

An answer that was given once is kept, by what was asked and of whom: a second run over the same samples asks nothing.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from llm_twin_assets.datasets.preference import Asked, Pair, Preferences, collected, pair_of
from llm_twin_assets.datasets.preference_spec import Conversation, GenerationError, GenerationSpec, Turn, answers
from llm_twin_assets.inference.prompts import messages
from resources.llm_cache import Reply, ReplyCache
from resources.llm_client import ChatClient
from resources.llm_errors import UnansweredError
from resources.llm_gather import gathered
from resources.llm_settings import ChatEndpoint, Preference
from resources.llm_usage import Meter
from resources.tracing import Project

_MODULE = "llm_twin_assets.datasets.preference_generation"
# A sample whose first rejected answer makes no pair gets one more chance.
_ATTEMPTS = 2
_SAID = 300


class Rejecter(Protocol):
    """A model whose answers are rejected."""

    @property
    def name(self) -> str:
        """What it is called in the pairs."""
        ...

    @property
    def attempts(self) -> int:
        """How often it may be asked the same with another answer to be hoped for."""
        ...

    def answers(self, asked: Sequence[Asked], attempt: int) -> dict[str, Reply]:
        """Its answers by sample id; a sample may have none."""
        ...


def with_rejected(samples: Sequence[Asked], rejecter: Rejecter, settings: Preference) -> Preferences:
    """Pairs of the samples and what a model answers to them; what makes no pair is asked once more."""
    made: dict[str, Pair | str] = {}
    left = list(samples)
    for attempt in range(rejecter.attempts if left else 0):
        replies = rejecter.answers(left, attempt)
        for each in left:
            reply = replies.get(each.sample_id)
            made[each.sample_id] = (
                pair_of(each, reply, rejecter.name, settings) if reply else "there is no rejected answer"
            )
        left = [each for each in left if isinstance(made[each.sample_id], str)]
        if not left:
            break
    return collected(made.values())


@dataclass(frozen=True)
class LocalRejecter:
    """A model folder of this machine; `digest` is what its answers are kept under."""

    name: str
    folder: Path
    digest: str
    author_name: str
    settings: Preference
    cache: ReplyCache

    @property
    def attempts(self) -> int:
        """The likeliest answer stays the same."""
        return _ATTEMPTS if self.settings.temperature else 1

    def answers(self, asked: Sequence[Asked], attempt: int) -> dict[str, Reply]:
        """Those that are known, and what a process of its own makes of the others; raises `GenerationError`."""
        seed = self.settings.seed + attempt
        questions = {each.sample_id: self._question(each, seed) for each in asked}
        known = {each.sample_id: self.cache.find(each.document_id, questions[each.sample_id]) for each in asked}
        found = {key: reply for key, reply in known.items() if reply is not None}
        unknown = [each for each in asked if each.sample_id not in found]
        if unknown:
            scopes = {each.sample_id: each.document_id for each in unknown}
            for key, reply in self._generated(unknown, seed):
                self.cache.keep(scopes[key], questions[key], reply)
                found[key] = reply
        return found

    def _question(self, asked: Asked, seed: int) -> Mapping[str, object]:
        return {
            "model_digest": self.digest,
            "messages": messages(asked.instruction, author_name=self.author_name),
            "wanted": len(asked.answer),
            "temperature": self.settings.temperature,
            "max_new_tokens": self.settings.max_new_tokens,
            "seed": seed,
        }

    def _generated(self, asked: Sequence[Asked], seed: int) -> list[tuple[str, Reply]]:
        with TemporaryDirectory(prefix="twin-preference-") as scratch:
            output = Path(scratch, "answers.jsonl")
            order = Path(scratch, "spec.json")
            order.write_text(self._spec(asked, seed, output).model_dump_json(), encoding="utf-8")
            _run(order)
            return [
                (each.key, Reply(each.text, each.prompt_tokens, each.completion_tokens, each.finished))
                for each in answers(output)
            ]

    def _spec(self, asked: Sequence[Asked], seed: int, output: Path) -> GenerationSpec:
        conversations = tuple(
            Conversation(
                key=each.sample_id,
                messages=tuple(Turn(**turn) for turn in messages(each.instruction, author_name=self.author_name)),
                wanted=each.answer,
                length_ratio=self.settings.length_ratio,
            )
            for each in asked
        )
        return GenerationSpec(
            model=self.folder,
            conversations=conversations,
            max_new_tokens=self.settings.max_new_tokens,
            batch_size=self.settings.batch_size,
            temperature=self.settings.temperature,
            seed=seed,
            output=output,
        )


@dataclass(frozen=True)
class EndpointRejecter:
    """A model behind an OpenAI-compatible API."""

    endpoint: ChatEndpoint
    author_name: str
    settings: Preference
    cache: ReplyCache
    meter: Meter
    project: Project | None = None

    @property
    def name(self) -> str:
        """The model's own name."""
        return self.endpoint.model

    @property
    def attempts(self) -> int:
        """The likeliest answer stays the same."""
        return _ATTEMPTS if self.endpoint.temperature else 1

    def answers(self, asked: Sequence[Asked], attempt: int) -> dict[str, Reply]:
        """Raises `LlmError` or `BudgetExceededError` where it cannot be asked any further."""
        return asyncio.run(self._answers(asked, attempt))

    async def _answers(self, asked: Sequence[Asked], attempt: int) -> dict[str, Reply]:
        seed = self.settings.seed + attempt if self.endpoint.temperature else None
        async with ChatClient(self.endpoint, self.cache, meter=self.meter, project=self.project) as chat:

            async def answer(each: Asked) -> Reply | None:
                question = messages(each.instruction, author_name=self.author_name)
                try:
                    return await chat.complete(question, scope=each.document_id, seed=seed)
                except UnansweredError:
                    return None  # counted as a sample without a rejected answer

            replies = await gathered(answer(each) for each in asked)
        return {each.sample_id: reply for each, reply in zip(asked, replies, strict=True) if reply}


def _run(order: Path) -> None:
    """Run the process to its end; what interrupts us takes it down too."""
    defaults = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", _MODULE, str(order)],
        env={**defaults, **os.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise GenerationError(
            f"the model that was to answer ended with code {done.returncode}: {last[:_SAID]}",
            mend="Code -9 is the system's answer to a lack of memory: lower preference.batch_size or max_new_tokens.",
        )
