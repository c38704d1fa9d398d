"""A question in other words, by a chat model, before it is searched for. Off where none is configured."""

from dataclasses import dataclass
from typing import Literal, Protocol

from llm_twin_assets.features.retrieve import Rewriter
from resources.llm import ChatModel
from resources.settings import Rewriting

Method = Literal["rewrite", "expand", "hyde"]

_ASKED: dict[Method, str] = {
    "rewrite": (
        "Write the user's question as one short search query that stands by itself: name what is meant, drop "
        "politeness, keep names, code and quoted words exactly. Same language. Answer with the query alone."
    ),
    "expand": (
        "List up to ten words or short terms that a text answering the user's question is likely to use and the "
        "question does not: synonyms, technical terms, names. Same language. Answer with them alone, on one line."
    ),
    "hyde": (
        "Write a paragraph of three to five sentences, as it might stand in a note or an article that answers the "
        "user's question. Same language. It need not be true. Answer with the paragraph alone."
    ),
}


class Completer(Protocol):
    """What answers a user's words under a system's."""

    def complete(self, system: str, user: str) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What to search for: texts whose mean vector is the meaning, and the words for BM25."""

    meanings: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class LlmRewriter:
    """`rewrite` replaces the question, `expand` adds words to it, `hyde` adds the meaning of a made-up answer.

    HyDE: Gao et al., "Precise Zero-Shot Dense Retrieval without Relevance Labels" (ACL 2023); as there, the vector is
    the mean of the question's and the passage's. BM25 keeps the question: made-up words would mislead it.
    """

    method: Method
    model: Completer

    def __call__(self, question: str) -> Rewritten:
        """The question rewritten; raises `LlmError` where the model does not answer."""
        answered = self.model.complete(_ASKED[self.method], question)
        if self.method == "rewrite":
            return Rewritten((answered,), answered)
        if self.method == "expand":
            return Rewritten((question,), f"{question} {answered}")
        return Rewritten((question, answered), question)


def rewriter_of(settings: Rewriting) -> Rewriter | None:
    """The rewriter that twin.yaml names, None where it names none."""
    if settings.method == "none" or settings.llm is None:
        return None
    return LlmRewriter(settings.method, ChatModel(settings.llm))
