"""Which documents and samples a dataset can do without; every one is counted under its reason."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.near_duplicates import clusters, signature
from llm_twin_assets.datasets.words import ngrams, plain_words, word_count, words_of
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.sample import Sample
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from resources.settings import Dataset

# A language in which less than this share of the documents is written is not one of the author's main ones.
_MAIN = 0.05
# MinHash estimates: an answer this alike is the same with a word changed; instructions share their wording, so more.
_ALIKE_ANSWERS, _ALIKE_INSTRUCTIONS = 0.8, 0.9
_OVERLAP = 8
# A wording, a title and headings beside a passage that is quoted.
_MORE_ASKED = 150
# Pictures, and addresses that stand for themselves: nothing that anybody could be asked to write.
_UNWRITTEN = re.compile(r"!\[[^\]\n]{0,2000}\]\([^)\n]{0,2000}\)|<?https?://[^\s<>()\[\]]+>?")
OTHER_LANGUAGE = "other_language"


@dataclass(frozen=True)
class Eligible:
    """The documents that samples are made of, those left out by reason, and the author's main languages."""

    documents: tuple[CleanedDocument, ...]
    dropped: Counter[str]
    languages: frozenset[str]

    def flags_of(self, document: CleanedDocument, settings: Dataset) -> tuple[str, ...]:
        """What is doubtful about the samples of a document."""
        foreign = settings.other_languages == "flag" and _is_foreign(document, self.languages)
        return (*document.flags, OTHER_LANGUAGE) if foreign else document.flags


def eligible(documents: Iterable[CleanedDocument], settings: Dataset) -> Eligible:
    """Documents that stand for themselves, read well, and are in a language of the author's."""
    own = [document for document in documents if document.duplicate_of is None]
    main = main_languages(own, settings)
    kept: list[CleanedDocument] = []
    dropped: Counter[str] = Counter()
    for document in own:
        if flag := next((each for each in document.flags if each in settings.exclude_flags), None):
            dropped[f"document flagged {flag}"] += 1
        elif settings.other_languages == "drop" and _is_foreign(document, main):
            dropped["document in another language"] += 1
        else:
            kept.append(document)
    return Eligible(tuple(kept), dropped, main)


def main_languages(documents: Iterable[CleanedDocument], settings: Dataset) -> frozenset[str]:
    """As configured, else every language of at least one in twenty documents of prose."""
    if settings.languages:
        return frozenset(settings.languages)
    counts = Counter(document.language for document in documents if document.language)
    return frozenset(language for language, count in counts.items() if count >= _MAIN * counts.total())


def _is_foreign(document: CleanedDocument, main: frozenset[str]) -> bool:
    return document.language is not None and bool(main) and document.language not in main


@dataclass(frozen=True)
class DraftFilter:
    """What can be said of a draft by itself: its length, and whether personal data is left in it."""

    document: CleanedDocument
    settings: Dataset
    scrubber: Scrubber

    def reason(self, draft: Draft) -> str | None:
        """Why the draft makes no sample, if it does not."""
        if draft.unfit:
            return draft.unfit
        answer = draft.span.of(self.document.text)
        words = word_count(answer)
        if words < self.settings.min_answer_words:
            return "answer too short"
        if words > self.settings.max_answer_words:
            return "answer too long"
        if word_count(draft.instruction) > self.settings.max_answer_words + _MORE_ASKED:
            return "instruction too long"
        if word_count(_UNWRITTEN.sub(" ", answer)) < min(self.settings.min_answer_words, -(-words // 2)):
            return "answer of links and pictures"
        if self._is_personal and self._finds(f"{draft.instruction}\n\n{answer}"):
            return "personal data left"
        return None

    @cached_property
    def _is_personal(self) -> bool:
        """Looked for in the document once: most have none, and the detectors cost more than all else here."""
        return self._finds(f"{self.document.title}\n\n{self.document.text}")

    def _finds(self, text: str) -> bool:
        return bool(self.scrubber.scrub(text, code=self.document.category is Category.CODE).counts)


def normalized(text: str) -> str:
    """An instruction or answer as duplicates are found: its words, whatever their case and punctuation."""
    return " ".join(plain_words(text)) or text.strip()


def without_duplicates(samples: Sequence[Sample], settings: Dataset) -> tuple[list[Sample], Counter[str]]:
    """Samples whose words no earlier one has in an answer of another document, nor in its instruction.

    Samples of one document may share a passage, asked for in several ways.
    """
    dropped: Counter[str] = Counter()
    kept = list(samples)
    kept = _without(kept, _repeated(kept), "duplicate answer", dropped)
    kept = _without(kept, _near([each.answer for each in kept], kept, _ALIKE_ANSWERS), "near-duplicate answer", dropped)
    asked = [each.instruction for each in kept]
    kept = _without(kept, _near(asked, kept, _ALIKE_INSTRUCTIONS), "near-duplicate instruction", dropped)
    kept = _without(kept, _overlapping(kept, settings.max_overlap), "n-gram overlap with other answers", dropped)
    return kept, dropped


def _without(samples: Sequence[Sample], gone: set[int], reason: str, dropped: Counter[str]) -> list[Sample]:
    if gone:
        dropped[reason] += len(gone)
    return [sample for place, sample in enumerate(samples) if place not in gone]


def _repeated(samples: Sequence[Sample]) -> set[int]:
    """Answers given before, but for the very same passage."""
    first: dict[str, Sample] = {}
    gone = set()
    for place, sample in enumerate(samples):
        before = first.setdefault(normalized(sample.answer), sample)
        if (before.document_id, before.start) != (sample.document_id, sample.start):
            gone.add(place)
    return gone


def _near(texts: Sequence[str], samples: Sequence[Sample], threshold: float) -> set[int]:
    """Texts that are nearly one of another document before them."""
    labels = clusters([signature(text) for text in texts], threshold)
    document = [sample.document_id for sample in samples]
    return {place for place, label in enumerate(labels) if document[place] != document[label]}


def _overlapping(samples: Sequence[Sample], most: float) -> set[int]:
    """Answers of which more than a share of the 8-grams stands in answers of other documents before them."""
    if not samples:
        return set()
    grams = [np.unique(ngrams(words_of(sample.answer), _OVERLAP)) for sample in samples]
    owners = np.repeat(np.arange(len(samples), dtype=np.int32), [len(each) for each in grams])
    documents = np.unique([sample.document_id for sample in samples], return_inverse=True)[1].astype(np.int32)
    # Stable: of equal grams the first sample's comes first.
    _, first, which = np.unique(np.concatenate(grams), return_index=True, return_inverse=True)
    elsewhere = documents[owners[first[which]]] != documents[owners]
    shared = np.bincount(owners[elsewhere], minlength=len(samples))
    return {place for place, each in enumerate(grams) if len(each) and shared[place] > most * len(each)}
