"""Instructions that a teacher makes up for the author's own text, each checked before it counts.

Back-translation and the score from 1 to 5 follow Li et al., "Self-Alignment with Instruction Backtranslation" (ICLR
2024); that a question has to be answered again from its answer alone, Alberti et al., "Synthetic QA Corpora Generation
with Roundtrip Consistency" (ACL 2019). The teacher never writes an answer: it points at one.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from llm_twin_assets.datasets import teacher_prompts as prompts
from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.spans import Span
from llm_twin_assets.datasets.teacher_quotes import answer_around, located
from llm_twin_assets.datasets.teacher_replies import (
    Answerable,
    Form,
    Instruction,
    Instructions,
    Question,
    Questions,
    Score,
    UnusableReplyError,
    fault_of,
    one_line,
    read,
)
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.inference.prompts import Message
from resources.llm_cache import Reply
from resources.llm_errors import UnansweredError
from resources.llm_gather import gathered
from resources.llm_settings import Teacher

F = TypeVar("F", bound=Form)


class Completer(Protocol):
    """What answers many conversations at once; `UnansweredError` says that one has no answer."""

    def complete(self, messages: Sequence[Message], *, scope: str) -> Awaitable[Reply]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Lesson:
    """A document and the passages of it that an instruction is wanted for, as drafts that were made by rule."""

    document: CleanedDocument
    drafts: Sequence[Draft]


@dataclass(frozen=True)
class Taught:
    """Drafts by document id; those made by rule that are not good enough; what was dropped, and why; scores."""

    drafts: dict[str, tuple[Draft, ...]] = field(default_factory=dict)
    refused: dict[str, frozenset[Draft]] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    scores: Counter[int] = field(default_factory=Counter)

    @property
    def kinds(self) -> Counter[str]:
        """How many drafts there are of each kind."""
        return Counter(draft.kind for drafts in self.drafts.values() for draft in drafts)


async def teach(lessons: Sequence[Lesson], chat: Completer, settings: Teacher, *, least_words: int = 8) -> Taught:
    """Ask the teacher about every lesson, a few at once; one bad reply costs its own draft and no other.

    `least_words` is how long an answer has to be. What ends all questions is raised: `LlmError`, `BudgetExceededError`.
    """
    taught = Taught()
    turns = asyncio.Semaphore(settings.concurrency)

    async def learnt(lesson: Lesson) -> tuple[tuple[Draft, ...], frozenset[Draft]]:
        async with turns:
            questioning = _Questioning(lesson.document, chat, settings, least_words, taught)
            return await questioning.drafts(lesson.drafts), await questioning.refused(lesson.drafts)

    for lesson, (drafts, refused) in zip(lessons, await gathered(learnt(each) for each in lessons), strict=True):
        if drafts:
            taught.drafts[lesson.document.document_id] = drafts
        if refused:
            taught.refused[lesson.document.document_id] = refused
    return taught


class _Questioning:
    """The questions about one document."""

    def __init__(
        self, document: CleanedDocument, chat: Completer, settings: Teacher, least_words: int, taught: Taught
    ) -> None:
        self._document, self._chat, self._settings = document, chat, settings
        self._least_words = least_words
        self._dropped, self._scores = taught.dropped, taught.scores

    async def drafts(self, by_rule: Sequence[Draft]) -> tuple[Draft, ...]:
        """All that stood every test, passage by passage; of a commit none, which has its author's own message."""
        if self._document.is_commit:
            return ()
        chosen = _spread(list({draft.span: draft for draft in by_rule}.values()), self._settings.passages_per_document)
        made = await gathered(self._about(draft) for draft in chosen)
        return tuple(draft for drafts in made for draft in drafts)

    async def refused(self, by_rule: Sequence[Draft]) -> frozenset[Draft]:
        """Those made by rule that are not good enough; one that got no score stays: it was sound without a teacher."""
        if "curation" not in self._settings.tasks:
            return frozenset()
        scores = await gathered(self._score(draft) for draft in by_rule)
        low = (draft for draft, score in zip(by_rule, scores, strict=True) if score and not self._suffices(score))
        return frozenset(low)

    async def _about(self, draft: Draft) -> list[Draft]:
        tasks = {
            "back_translation": self._back_translated,
            "paraphrases": self._paraphrased,
            "questions": self._questioned,
        }
        made = await gathered(tasks[task](draft) for task in self._settings.tasks if task in tasks)
        candidates = [candidate for candidates in made for candidate in candidates if self._is_sound(candidate)]
        scores = await gathered(self._score(candidate) for candidate in candidates)
        return [each for each, score in zip(candidates, scores, strict=True) if score and self._suffices(score)]

    async def _back_translated(self, draft: Draft) -> list[Draft]:
        reply = await self._ask(prompts.back_translation(self._text(draft.span)), Instruction)
        return [Draft("back_translation", one_line(reply.instruction), draft.span)] if reply else []

    async def _paraphrased(self, draft: Draft) -> list[Draft]:
        count = self._settings.paraphrases
        reply = await self._ask(prompts.paraphrases(draft.instruction, count), Instructions)
        said = self._each(reply.instructions, Instruction, "instruction") if reply else []
        return [Draft("paraphrase", one_line(each.instruction), draft.span) for each in said[:count]]

    async def _questioned(self, draft: Draft) -> list[Draft]:
        count = self._settings.questions
        reply = await self._ask(prompts.questions(self._text(draft.span), count), Questions)
        said = self._each(reply.questions, Question, "question") if reply else []
        placed = [self._placed(each, draft.span) for each in said[:count]]
        asked = [each for each in placed if each is not None]
        holds = await gathered(self._is_answered(each) for each in asked)
        return [each for each, does in zip(asked, holds, strict=True) if does]

    def _placed(self, question: Question, passage: Span) -> Draft | None:
        place = located(question.quote, self._document.text, passage)
        if place is None:
            self._dropped["the quote does not stand in the text"] += 1
            return None
        answer = answer_around(place, self._document.text, passage, self._least_words)
        return Draft("knowledge_question", one_line(question.question), answer)

    async def _is_answered(self, draft: Draft) -> bool:
        """Asked again with nothing but the answer: does it hold, and where?"""
        reply = await self._ask(prompts.answerable(draft.instruction, self._text(draft.span)), Answerable)
        if reply is None:
            return False
        if reply.answerable and located(reply.quote, self._document.text, draft.span):
            return True
        self._dropped["the answer does not answer the question"] += 1
        return False

    async def _score(self, draft: Draft) -> int | None:
        reply = await self._ask(prompts.score(draft.instruction, self._text(draft.span)), Score)
        if reply:
            self._scores[reply.score] += 1
        return reply.score if reply else None

    def _suffices(self, score: int) -> bool:
        if score < self._settings.min_score:
            self._dropped[f"scored below {self._settings.min_score}"] += 1
        return score >= self._settings.min_score

    def _is_sound(self, draft: Draft) -> bool:
        if fault := fault_of(draft.instruction, self._text(draft.span)):
            self._dropped[fault] += 1
        return fault is None

    async def _ask(self, messages: Sequence[Message], form: type[F]) -> F | None:
        try:
            reply = await self._chat.complete(messages, scope=self._document.document_id)
            return read(reply.text, form)
        except UnansweredError:
            self._dropped["no reply"] += 1
        except UnusableReplyError as error:
            self._dropped[error.what] += 1
        return None

    def _each(self, items: Sequence[object], form: type[F], name: str) -> list[F]:
        """The items of a list that are what they should be; a bad one costs itself alone."""
        found = [form.of(item) for item in items]
        if bad := found.count(None):
            self._dropped[f"{name} of another form"] += bad
        return [each for each in found if each is not None]

    def _text(self, span: Span) -> str:
        return span.of(self._document.text)


def _spread(drafts: list[Draft], most: int) -> list[Draft]:
    """So many drafts, evenly from beginning to end."""
    if len(drafts) <= most:
        return drafts
    return [drafts[number * len(drafts) // most] for number in range(most)]
