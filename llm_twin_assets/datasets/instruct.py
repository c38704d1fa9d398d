"""Instruct samples without a teacher: made-up instructions, the author's own words as answers."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llm_twin_assets.datasets.article_drafts import article_drafts
from llm_twin_assets.datasets.code_drafts import code_drafts
from llm_twin_assets.datasets.corrections import correction_drafts
from llm_twin_assets.datasets.decontamination import decontaminate
from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.filters import DraftFilter, Eligible, eligible, normalized, without_duplicates
from llm_twin_assets.datasets.split import Assignment
from llm_twin_assets.datasets.tiers import with_tiers, within
from llm_twin_assets.datasets.topic import post_drafts
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import Json, digest
from llm_twin_assets.domain.sample import Sample, Split, Tier
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from resources.settings import Dataset

_NOTHING_PERSONAL = Scrubber.of(())


@dataclass(frozen=True, slots=True)
class Generated:
    """Samples with the documents they were made of; drafts and documents left out by reason; what splits shared.

    `made` is every train sample by tier, those too that the configured tier leaves out.
    """

    samples: tuple[Sample, ...]
    documents: tuple[tuple[CleanedDocument, Split], ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    decontamination: dict[str, Json] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    made: dict[str, int] = field(default_factory=dict)


def generate(
    documents: Iterable[CleanedDocument],
    assignment: Assignment,
    settings: Dataset,
    *,
    scrubber: Scrubber = _NOTHING_PERSONAL,
    further: Mapping[str, Sequence[Draft]] | None = None,
    refused: Mapping[str, Collection[Draft]] | None = None,
) -> Generated:
    """All samples of a corpus in a stable order, each in the split of its document.

    `further` are drafts by document id that somebody else made; they pass the same filters. `refused` are those made
    here that somebody else found not good enough.
    """
    found = eligible(documents, settings)
    # Sealed documents first: where two share a text or an instruction, the copy in train is the one to go.
    # Commits last: a definition is asked for by its docstring rather than as a part of the commit that added it.
    ranked = sorted(found.documents, key=lambda d: (assignment.splits[d.document_id].rank, d.is_commit, d.document_id))
    split = tuple((document, assignment.splits[document.document_id]) for document in ranked)
    maker = _Maker(found, settings, scrubber, further or {}, refused or {})
    unique, repeated = without_duplicates(list(maker.samples(split)), settings)
    texts = {each: [document.text for document, own in split if own is each] for each in Split}
    clean = decontaminate(unique, texts, settings.max_leaked_8grams)
    samples = with_tiers(clean.samples)
    kept = within(samples, Tier(settings.tier))
    return Generated(
        samples=kept,
        documents=split,
        dropped=dict(sorted((found.dropped + maker.dropped + repeated + clean.dropped).items())),
        decontamination=clean.report,
        languages=tuple(sorted(found.languages)),
        made={tier.value: sum(each.split is Split.TRAIN for each in within(samples, tier)) for tier in Tier},
    )


def drafts(document: CleanedDocument, settings: Dataset) -> Iterator[Draft]:
    """What could be asked of one document."""
    if document.is_correction:
        return correction_drafts(document)
    return _DRAFTS[document.category](document, settings.max_answer_words)


def _post_drafts(document: CleanedDocument, _: int) -> Iterator[Draft]:
    return post_drafts(document)


_DRAFTS: dict[Category, Callable[[CleanedDocument, int], Iterator[Draft]]] = {
    Category.ARTICLE: article_drafts,
    Category.POST: _post_drafts,
    Category.CODE: code_drafts,
}


class _Maker:
    """Drafts made into samples one by one; no instruction is given twice."""

    def __init__(
        self,
        found: Eligible,
        settings: Dataset,
        scrubber: Scrubber,
        further: Mapping[str, Sequence[Draft]],
        refused: Mapping[str, Collection[Draft]],
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._found, self._settings, self._scrubber = found, settings, scrubber
        self._further, self._refused = further, refused
        self._asked: set[str] = set()

    def samples(self, documents: Iterable[tuple[CleanedDocument, Split]]) -> Iterator[Sample]:
        for document, split in documents:
            fit = DraftFilter(document, self._settings, self._scrubber)
            flags = self._found.flags_of(document, self._settings)
            refused = self._refused.get(document.document_id, ())
            for draft in (*drafts(document, self._settings), *self._further.get(document.document_id, ())):
                reason = "scored low by the teacher" if draft in refused else fit.reason(draft)
                instruction = None if reason else self._unasked(draft)
                if instruction is None:
                    self.dropped[reason or "duplicate instruction"] += 1
                else:
                    yield _sample(draft, instruction, document, split, flags)

    def _unasked(self, draft: Draft) -> str | None:
        """The first of its wordings that no sample before has."""
        for wording in draft.wordings:
            key = normalized(wording)
            if key not in self._asked:
                self._asked.add(key)
                return wording
        return None


def _sample(draft: Draft, instruction: str, document: CleanedDocument, split: Split, flags: tuple[str, ...]) -> Sample:
    answer = draft.span.of(document.text)
    return Sample(
        sample_id=digest([document.document_id, draft.kind, instruction, answer])[:32],
        split=split,
        kind=draft.kind,
        instruction=instruction,
        answer=answer,
        document_id=document.document_id,
        start=draft.span.start,
        end=draft.span.end,
        language=document.code_language if document.category is Category.CODE else document.language,
        flags=flags,
    )
