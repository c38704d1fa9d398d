import pytest

from llm_twin_assets.collection.export import ExportError
from llm_twin_assets.domain.document import Category


def page(title: str, body: str, canonical: str = "https://medium.com/@maya/x-0b71f3e9a4c2") -> str:
    return (
        f'<!DOCTYPE html><html><head><title>{title}</title></head><body><article class="h-entry">'
        f'<header><h1 class="p-name">{title}</h1></header>'
        f'<section data-field="body" class="e-content"><section name="a" class="section">{body}</section></section>'
        f'<footer><p><time class="dt-published" datetime="2020-08-02T11:45:57.137Z">x</time></p>'
        f'<p><a href="{canonical}" class="p-canonical">Canonical link</a></p></footer></article></body></html>'
    )


ARTICLE = page(
    "On looms", '<h3 class="graf graf--title">On looms</h3><p>Text &amp; &lt;div&gt;.</p><pre>a<br>  b</pre>'
)
RESPONSE = page("Thanks, that is a good…", "<p>Thanks, that is a good<br>point about the index.</p><p>More.</p>")
FILES = {
    "README.html": "<p>not a post</p>",
    "posts/2020-08-02_On-looms-9d03fa5581ce.html": ARTICLE,
    "posts/2020-08-03_Thanks-0b71f3e9a4c2.html": RESPONSE,
    "posts/draft_Later-9d03fa5581cf.html": ARTICLE,
}


def test_articles_keep_their_markup_and_responses_become_posts(export, collect) -> None:
    article, response = collect("medium", export=export(FILES)).documents
    assert (article.category, article.title, article.media_type) == (Category.ARTICLE, "On looms", "text/html")
    assert article.content.startswith('<section name="a" class="section"><h3')
    assert "Text &amp; &lt;div&gt;." in article.content
    assert article.published_at is not None
    assert article.published_at.isoformat() == "2020-08-02T11:45:57.137000+00:00"
    assert (response.category, response.title, response.media_type) == (Category.POST, None, "text/plain")
    assert response.content == "Thanks, that is a good\npoint about the index.\n\nMore."


def test_an_old_article_without_any_heading_is_no_response(export, collect) -> None:
    files = {"posts/2013-01-01_Old-0b71f3e9a4c2.html": page("On ferries", "<p>At ten past eleven I left.</p>")}
    assert collect("medium", export=export(files)).documents[0].category is Category.ARTICLE


def test_a_renamed_post_keeps_its_identity(archive, collect) -> None:
    before = collect("medium", export=archive({"posts/2020-08-02_Old-9d03fa5581ce.html": ARTICLE}, "a.zip"))
    renamed = ARTICLE.replace("/x-0b71f3e9a4c2", "/new-0b71f3e9a4c2")
    after = collect("medium", export=archive({"posts/2020-08-02_New-9d03fa5581ce.html": renamed}, "b.zip"))
    assert before.documents[0].document_id == after.documents[0].document_id


def test_a_page_that_is_no_post_is_quarantined_among_good_ones(export, collect) -> None:
    collected = collect("medium", export=export({**FILES, "posts/2020_x-9d03fa5581ca.html": "<p>hello</p>"}))
    assert len(collected.documents) == 2
    assert collected.quarantined[0].where.endswith("posts/2020_x-9d03fa5581ca.html")


def test_an_export_without_posts_says_where_to_get_one(export, collect) -> None:
    with pytest.raises(ExportError, match=r"holds no posts/\*\.html.*medium\.com"):
        collect("medium", export=export({"README.html": "x"}))


def test_an_export_of_drafts_alone_is_an_error(export, collect) -> None:
    with pytest.raises(ExportError, match="holds nothing published"):
        collect("medium", export=export({"posts/draft_Later-9d03fa5581cf.html": ARTICLE}))
