"""A released twin in small: a random Llama, a few true documents, a snapshot, a release record and its pointer."""

from datetime import UTC, datetime
from pathlib import Path

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.domain.released import approvals_prefix, releases_prefix
from llm_twin_assets.features.embed import embed
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.release.canary import begin
from llm_twin_assets.release.records import append, decisions, switch
from resources.embedder import Embedder
from resources.folder_digest import folder_digest
from resources.lance_store import LanceVectorStore
from resources.object_store import ObjectStore
from resources.release_settings import Trial

AUTHOR = "maya"
SNAPSHOT = "snapshot-tiny"

CHUNKING = """# Chunk by headings

I used to cut every page after five hundred characters. A sentence about the ferry ended in one chunk and its point
stood in the next.

## What I do now

A chunk follows the headings of the page and keeps the span it came from. When somebody doubts a citation I can open
the page at character 1,204 and show the sentence.

```python
def span(document: str, chunk: str) -> tuple[int, int]:
    start = document.index(chunk)
    return start, start + len(chunk)
```

So keep the span. It costs two integers.
"""

LEAKAGE = """# The leak that made my model look brilliant

I split samples at random, so half of every page was in training and the other half in the test set. The twin looked
brilliant until I asked it about a page it had never read.

Split by document before you make a single sample. The perplexity rose from 11 to 29, and it was true.
"""

POST = "Delta Lake's MERGE made my nightly import boring: the second run writes nothing, and boring is good."

CODE = '''def merge_counts(before: dict[str, str], after: dict[str, str]) -> dict[str, int]:
    """Count what a merge would do to the warehouse."""
    shared = before.keys() & after.keys()

    return {"new": len(after.keys() - before.keys()), "changed": sum(before[key] != after[key] for key in shared)}
'''


def document(slug: str, category: Category, title: str, text: str, *, path: str | None = None) -> CleanedDocument:
    """A cleaned document with everything that follows from its text."""
    return CleanedDocument(
        document_id=document_id(AUTHOR, slug),
        author=AUTHOR,
        platform="github" if category is Category.CODE else "medium",
        category=category,
        url=f"https://example.org/{slug}",
        title=title,
        text=text,
        language=None if category is Category.CODE else "en",
        code_language="python" if category is Category.CODE else None,
        repository="loom" if category is Category.CODE else None,
        path=path,
        published_at=datetime(2026, 1, 25, tzinfo=UTC),
        words=len(text.split()),
        content_hash=content_hash(title, text),
        raw_hash=content_hash(text),
        cleaner="test",
    )


DOCUMENTS = (
    document("chunking", Category.ARTICLE, "Chunk by headings", CHUNKING),
    document("leakage", Category.ARTICLE, "The leak that made my model look brilliant", LEAKAGE),
    document("merge", Category.POST, "Delta Lake's MERGE", POST),
    document("code", Category.CODE, "loom/merge.py", CODE, path="loom/merge.py"),
)


def write_model(folder: Path, *, positions: int = 1024, seed: int = 0) -> Path:
    """A Llama of some 100,000 random parameters with a tokenizer and a chat template."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from llm_twin_assets.training.tiny_llama.tokenizer import train_tokenizer

    tokenizer = train_tokenizer([each.text for each in DOCUMENTS], positions)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=positions,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def embed_documents(home: Path, embedder: Embedder, author: str = AUTHOR) -> None:
    """The documents as a published snapshot."""
    store = LanceVectorStore(str(home / "embedded"))
    store.write(author, embed(DOCUMENTS, embedder, 220, lambda keys: {}).rows, ())
    store.publish(author, SNAPSHOT)


def release(embedder: Embedder, *, sequence: int = 1, author: str = AUTHOR, model_path: str = "models/tiny") -> Release:
    """A release record as deployment writes it."""
    return Release(
        release_id=f"{author}-{sequence:06d}",
        author=author,
        author_name="Maya Lindqvist",
        sequence=sequence,
        model_name=f"twin-{author}",
        model_version=str(sequence),
        model_digest="0" * 64,
        model_path=model_path,
        base="tiny-llama",
        dataset="dataset-tiny",
        snapshot=SNAPSHOT,
        embedder=embedder.model,
        embedder_digest=embedder.digest,
        prompt_digest=prompt_digest(),
        approval_sequence=sequence,
        approver="a test",
        released_at=datetime(2026, 2, 1, tzinfo=UTC),
    )


def point_to(home: Path, record: Release) -> Release:
    """Approve, record and switch to a release, as deployment does for a model that is there."""
    return put_on_record(home, pinned(home, record))


def put_on_record(home: Path, record: Release) -> Release:
    """The same, whether it can be opened or not."""
    written = approve_and_append(home, record)
    switch(ObjectStore(str(home / "objects")), releases_prefix(record.author), written)
    return written


def try_out(home: Path, record: Release, trial: Trial) -> Release:
    """Approve, record and try a release beside what serves."""
    written = approve_and_append(home, pinned(home, record).model_copy(update={"canary": trial}))
    begin(ObjectStore(str(home / "objects")), written)
    return written


def approve_and_append(home: Path, record: Release) -> Release:
    """Approve and record a release, which nobody is pointed at."""
    objects, author = ObjectStore(str(home / "objects")), record.author
    yes = append(
        objects,
        approvals_prefix(author),
        lambda number: Approval(
            sequence=number,
            author=author,
            model_version=record.model_version,
            decision="approved",
            approver=record.approver,
            reason="a test",
            decided_at=record.released_at,
        ),
    )
    switch(objects, approvals_prefix(author), yes)
    digest = decisions(objects, author)[-1].digest
    follows = {"approval_sequence": yes.sequence, "approval_digest": digest}
    return append(
        objects, releases_prefix(author), lambda number: record.model_copy(update={"sequence": number, **follows})
    )


def pinned(home: Path, record: Release) -> Release:
    """The record with the digest of the model that lies at its path, if one does."""
    folder = home / "objects" / record.model_path
    return record.model_copy(update={"model_digest": folder_digest(folder)}) if folder.is_dir() else record
