"""What answers are marked by: the author's prose that is not sealed, others' prose, and all that was trained on."""

from collections.abc import Iterator

from llm_twin_assets.datasets.assets import read_cleaned
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets.evaluation.exam.exam import Paper
from llm_twin_assets.evaluation.exam.examination import MarkingKey, Sheet
from llm_twin_assets.evaluation.measures.authorship import AuthorshipError, Text, train_verifier, window_size
from llm_twin_assets.evaluation.measures.profiles import Profile
from llm_twin_assets.evaluation.measures.secrets import VerbatimIndex
from llm_twin_assets.evaluation.sealed import documents_read
from resources.object_store import ObjectStore
from resources.settings import Settings
from resources.warehouse import Warehouse


def marking_key(
    paper: Paper, base: Sheet, objects: ObjectStore, warehouse: Warehouse, settings: Settings
) -> MarkingKey:
    """What all models of a comparison are marked by; `base` is what the bare base has answered."""
    author = paper.exam.record.author
    texts = [
        *_own(author, paper.dataset, objects, warehouse),
        *_other_authors(author, settings, warehouse),
        *(Text(name, text, "documentation of packages") for name, text in paper.strangers.items()),
        *(Text(each.document_id, each.text, "the bare base") for each in base.unaided),
    ]
    lacking: tuple[str, ...] = ()
    verifier = None
    try:
        verifier = train_verifier(texts, window_size(base.unaided))
    except AuthorshipError as error:
        lacking = (f"style is not measured: {error.what}",)
    return MarkingKey(
        verifier=verifier,
        least_auc=settings.evaluation.min_auc,
        author=Profile.of(paper.exam.texts.values()),
        trained=VerbatimIndex.of(each.text for each in paper.read),
        scrubber=Scrubber.of(settings.collection.scrub, settings.author(author).public),
        lacking=lacking,
    )


def _own(author: str, dataset: str, objects: ObjectStore, warehouse: Warehouse) -> Iterator[Text]:
    """The author's prose in the documents that are not sealed."""
    read = documents_read(objects, author, dataset)
    for document in _prose(warehouse, author):
        if document.document_id in read:
            yield Text(document.document_id, document.text)


def _other_authors(author: str, settings: Settings, warehouse: Warehouse) -> Iterator[Text]:
    for other in settings.authors:
        if other != author:
            for document in _prose(warehouse, other):
                yield Text(document.document_id, document.text, "other authors")


def _prose(warehouse: Warehouse, author: str) -> list[CleanedDocument]:
    return [each for each in read_cleaned(warehouse, author) if each.category is not Category.CODE]
