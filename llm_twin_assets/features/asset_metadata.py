"""What the feature assets show of themselves in Dagster: counts, samples, plots."""

from collections import Counter
from collections.abc import Mapping, Sequence

import dagster as dg
import pyarrow as pa

from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets.domain.preview import histogram, markdown_table
from llm_twin_assets.features.incremental import Cleaned, Indexed
from resources.warehouse import MergeCounts

# The columns of an index that a person can read.
SHOWN = ("context", "text", "start", "end", "tokens")


def cleaning_metadata(result: Cleaned, counts: MergeCounts) -> Mapping[str, dg.MetadataValue]:
    """What cleaning did, and what came of it."""
    words = [document.words for document in result.documents]
    duplicates = [document for document in result.documents if document.duplicate_of]
    return {
        **_integers(
            {
                "dagster/row_count": len(result.documents),
                "new": counts.new,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
                "removed": counts.removed,
                "cleaned": result.cleaned,
                "reused": result.reused,
                "duplicates": len(duplicates),
                "flagged": sum(bool(document.flags) for document in result.documents),
                "quarantined": len(result.quarantined),
                "words": sum(words),
            }
        ),
        "preview": dg.MetadataValue.md(_documents_table(result.documents)),
        "words_per_document": dg.MetadataValue.md(histogram(words, "words per document")),
        "flags": dg.MetadataValue.json(
            dict(sorted(Counter(flag for each in result.documents for flag in each.flags).items()))
        ),
        "flagged_documents": dg.MetadataValue.md(_flagged_table(result.documents)),
        "duplicate_documents": dg.MetadataValue.md(_duplicates_table(duplicates, result.documents)),
        "quarantine": dg.MetadataValue.md(
            markdown_table(
                ("document", "reason"),
                [(each.place, each.reason) for each in result.quarantined],
                width=400,
                limit=50,
            )
            if result.quarantined
            else "nothing"
        ),
    }


def _documents_table(documents: tuple[CleanedDocument, ...]) -> str:
    newest = sorted(
        documents, key=lambda each: each.published_at.isoformat() if each.published_at else "", reverse=True
    )
    return markdown_table(
        ("title", "platform", "published", "language", "words", "begins"),
        [
            (each.title, each.platform, each.published_at and each.published_at.date(),
             each.code_language or each.language, each.words, each.text[:120])
            for each in newest
        ],
        limit=8,
    )  # fmt: skip


def _flagged_table(documents: Sequence[CleanedDocument]) -> str:
    rows = [(each.title, each.platform, ", ".join(each.flags), each.words) for each in documents if each.flags]
    return markdown_table(("title", "platform", "flags", "words"), rows, limit=20) if rows else "nothing"


def _duplicates_table(duplicates: Sequence[CleanedDocument], documents: Sequence[CleanedDocument]) -> str:
    named = {each.document_id: each for each in documents}
    rows = [
        (_place(each), _place(named[each.duplicate_of]) if each.duplicate_of in named else each.duplicate_of)
        for each in duplicates
    ]
    return markdown_table(("document", "says what this one says"), rows, width=120, limit=20) if rows else "nothing"


def _place(document: CleanedDocument) -> str:
    return document.url or document.path or document.title


def index_metadata(done: Indexed, duplicates: int) -> Mapping[str, dg.MetadataValue]:
    """What embedding did; `duplicates` is how many documents were left out as such."""
    embedded, speed = done.embedded, done.embedded.encoded / done.seconds if done.seconds else 0.0
    return {
        **_integers(
            {
                "dagster/row_count": done.chunks,
                "new": len(done.plan.new),
                "changed": len(done.plan.changed),
                "unchanged": done.plan.unchanged,
                "removed": len(done.plan.removed),
                "chunks": done.chunks,
                "chunks_written": embedded.chunks,
                "chunks_embedded": embedded.encoded,
                "chunks_reused": embedded.reused,
                "duplicates_left_out": duplicates,
            }
        ),
        "snapshot": dg.MetadataValue.text(done.snapshot or "none"),
        "seconds": dg.MetadataValue.float(round(done.seconds, 3)),
        "chunks_per_second": dg.MetadataValue.float(round(speed, 1)),
    }


def chunks_metadata(chunks: pa.Table, max_tokens: int) -> Mapping[str, dg.MetadataValue]:
    """A few chunks, and how long all are; `chunks` has the columns `SHOWN`."""
    rows = chunks.slice(0, 8).to_pylist()
    table = markdown_table(SHOWN, [[row[name] for name in SHOWN] for row in rows])
    return {
        "preview": dg.MetadataValue.md(table if rows else "nothing"),
        "tokens_per_chunk": dg.MetadataValue.md(
            histogram(chunks["tokens"].to_pylist(), "tokens per chunk, context included", max_tokens)
        ),
    }


def _integers(values: Mapping[str, int]) -> dict[str, dg.MetadataValue]:
    return {name: dg.MetadataValue.int(value) for name, value in values.items()}


def version_or_none(version: int | None) -> dg.MetadataValue:
    """A table's version; null of one that is not there."""
    return dg.MetadataValue.null() if version is None else dg.MetadataValue.int(version)
