import pytest

from llm_twin_assets.collection.export import ExportError, ZipExport
from llm_twin_assets.domain.document import Category

HEADER = "post_id,post_date,is_published,email_sent_at,inbox_sent_at,type,audience,title,subtitle,podcast_url\n"
FILES = {
    "posts.csv": HEADER
    + '111.first-letter,2024-03-10T12:00:00.000Z,true,,,newsletter,everyone,"First, a letter",On beginnings,\n'
    + "112.rough,,false,,,newsletter,everyone,Rough,,\n"
    + "113.a-thread,2024-03-11T12:00:00.000Z,true,,,thread,everyone,A thread,,\n",
    "posts/111.first-letter.html": "<p>It begins.</p>",
    "posts/112.rough.html": "<p>Half a thought.</p>",
    "posts/113.a-thread.html": "<p>One</p><p>Two</p>",
    "posts/111.opens.csv": "email\nreader@example.com\n",
    "posts/111.delivers.csv": "email\nreader@example.com\n",
    "email_list.maya.csv": "email\nreader@example.com\n",
}


def test_published_posts_alone_with_addresses_below_the_publication(export, collect) -> None:
    letter, thread = collect("substack", export=export(FILES), url="https://maya.substack.com/").documents
    assert (letter.title, letter.content) == ("First, a letter", "<p>It begins.</p>")
    assert letter.url == "https://maya.substack.com/p/first-letter"
    assert (thread.category, thread.content) == (Category.POST, "One\n\nTwo")


def test_without_url_there_is_no_address_but_the_same_identity(archive, collect) -> None:
    path = archive(FILES)
    bare, addressed = collect("substack", export=path), collect("substack", export=path, url="https://m.example")
    assert bare.documents[0].url is None
    assert bare.documents[0].document_id == addressed.documents[0].document_id
    assert bare.documents[0].content_hash != addressed.documents[0].content_hash


def test_subscriber_files_are_never_opened(archive, collect, monkeypatch) -> None:
    opened: list[str] = []
    read = ZipExport.read

    def recording(self: ZipExport, name: str) -> bytes:
        opened.append(name)
        return read(self, name)

    monkeypatch.setattr(ZipExport, "read", recording)
    collect("substack", export=archive(FILES))
    assert opened == ["posts.csv", "posts/111.first-letter.html", "posts/113.a-thread.html"]


def test_a_listed_post_without_its_page_is_quarantined(export, collect) -> None:
    files = {name: text for name, text in FILES.items() if name != "posts/113.a-thread.html"}
    collected = collect("substack", export=export(files))
    assert len(collected.documents) == 1
    assert collected.quarantined[0].where.endswith("posts.csv:4")


@pytest.mark.parametrize(
    ("files", "said"),
    [({"posts/1.html": "x"}, r"holds no posts\.csv"), ({"posts.csv": "a,b\n"}, r"posts\.csv:1: lacks the columns")],
)
def test_an_unusable_export_says_why(export, collect, files, said) -> None:
    with pytest.raises(ExportError, match=said):
        collect("substack", export=export(files))
