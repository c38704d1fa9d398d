"""Which documents are for training and which are sealed; decided before a single sample is made."""

import hashlib

from llm_twin_assets.domain.sample import Split
from resources.settings import Dataset


def split_of(document_id: str, settings: Dataset) -> Split:
    """The split of a document: a hash of its identity and the seed, and of nothing else.

    So a document stays where it is when others come or it is edited: what was sealed once stays sealed for every
    later dataset version.
    """
    sha = hashlib.sha256(f"{settings.seed}\n{document_id}".encode()).digest()
    position = int.from_bytes(sha[:8], "big") / 2**64
    if position < settings.test_share:
        return Split.TEST
    if position < settings.test_share + settings.validation_share:
        return Split.VALIDATION
    return Split.TRAIN
