"""A tiny corpus, and the real embedding model, loaded once."""

from datetime import UTC, datetime

import pytest

from llm_twin_assets.domain.document import Category, CleanedDocument, RawDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from resources.embedder import Embedder


@pytest.fixture(scope="session")
def minilm():
    return Embedder("sentence-transformers/all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def make_raw():
    def make(content, *, name="one", category=Category.ARTICLE, platform="files", media_type="text/markdown", **other):
        title = other.pop("title", None)
        given = {
            "url": f"https://example.org/{name}",
            "published_at": datetime(2025, 3, 4, tzinfo=UTC),
            "code_language": None,
            "repository": None,
            "path": None,
            **other,
        }
        return RawDocument(
            document_id=document_id("ada", name),
            author="ada",
            platform=platform,
            category=category,
            title=title,
            content=content,
            media_type=media_type,
            content_hash=content_hash(title, content),
            collected_at=datetime(2025, 6, 1, tzinfo=UTC),
            **given,
        )

    return make


@pytest.fixture
def make_cleaned():
    def make(text, *, name="one", title="On engines", category=Category.ARTICLE, language=None, path=None):
        return CleanedDocument(
            document_id=document_id("ada", name),
            author="ada",
            platform="files",
            category=category,
            url=f"https://example.org/{name}",
            title=title,
            text=text,
            language="en",
            code_language=language,
            repository=None,
            path=path,
            published_at=datetime(2025, 3, 4, tzinfo=UTC),
            words=len(text.split()),
            content_hash=content_hash(text),
            raw_hash=content_hash(title, text),
            cleaner="test",
        )

    return make
