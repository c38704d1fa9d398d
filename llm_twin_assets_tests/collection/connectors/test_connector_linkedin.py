import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_twin_assets import sample
from llm_twin_assets.collection.connector import Collectable, Found, Listed
from llm_twin_assets.collection.connectors.linkedin import CONNECTOR, LinkedInOptions
from llm_twin_assets.collection.platforms.linkedin_export import comment_id, restored_lines
from llm_twin_assets.collection.reading.export import ExportError
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.contract import assert_connector, quarantined, remembered, visited

LINK = "https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A"
SHARES = (
    "Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility\n"
    f'2024-05-02 08:00:00,{LINK}71,"First line""\n""""\n""He said ""yes""",,"",MEMBER_NETWORK\n'
    f'2024-05-01 08:00:00,{LINK}70,"One ""line"", with a comma",https://example.org,"",MEMBER_NETWORK\n'
    f"2024-04-30 08:00:00,{LINK}69,,https://example.org,,MEMBER_NETWORK\n"
)
COMMENTS = (
    "Date,Link,Message\n"
    f'2024-05-03 09:00:00,{LINK}80,"I led the \\"tea\\" team,\n\nuse \\d+ here"\n'
    f",{LINK}80,The export left this date blank\n"
)
ARTICLE = """<html><head><title>Reliability</title><style>p {}</style></head><body>
<h1><a href="https://www.linkedin.com/pulse/reliability-maya">Reliability</a></h1>
<p class="created">Created on 2024-09-20 06:04</p><p class="published">Published on 2024-09-20 06:12</p>
<div><p>Body with <a target="_blank" href="https://example.org">a link</a>.</p><pre>x  =  1
    y</pre></div></body></html>"""
DRAFT = ARTICLE.replace('<p class="published">Published on 2024-09-20 06:12</p>', "")
FILES = {
    "Shares.csv": SHARES,
    "Comments.csv": COMMENTS,
    "Articles/Articles/reliability.html": ARTICLE,
    "Articles/Articles/draft.html": DRAFT,
    "Connections.csv": b"\xff not ours",
}


def documents(path: Path, **options: object) -> list[Found]:
    return [e for e in visited(CONNECTOR, LinkedInOptions(export=path, **options)) if isinstance(e, Found)]


def listings(events: list[Collectable]) -> set[str]:
    return {event.listing for event in events if isinstance(event, Listed)}


def test_posts_comments_and_articles_come_out_of_zip_and_folder(export) -> None:
    events = assert_connector(CONNECTOR, LinkedInOptions(export=export(FILES)))
    found = [event for event in events if isinstance(event, Found)]
    texts = [document.content for document in found]
    assert texts[:2] == ['First line\n\nHe said "yes"', 'One "line", with a comma']
    assert texts[2:4] == ['I led the "tea" team,\n\nuse \\d+ here', "The export left this date blank"]
    assert [document.category for document in found] == [Category.POST] * 4 + [Category.ARTICLE]
    assert not quarantined(events)
    assert listings(events) == {"posts", "comments", "articles"}


def test_an_article_keeps_its_fragment_address_and_date(export) -> None:
    article = documents(export(FILES))[-1]
    assert article.title == "Reliability"
    assert article.url == "https://www.linkedin.com/pulse/reliability-maya"
    assert article.published_at is not None
    assert article.published_at.isoformat() == "2024-09-20T06:12:00+00:00"
    assert article.media_type == "text/html"
    assert article.content.startswith('<p>Body with <a target="_blank" href=')
    assert "x  =  1\n    y" in article.content


def test_member_id_suffix_and_inner_folder_do_not_matter(archive) -> None:
    named = {"Basic_Export/Shares_155814142.csv": SHARES, "Basic_Export/Comments_155814142.csv": COMMENTS}
    plain = {"Shares.csv": SHARES, "Comments.csv": COMMENTS}
    ids = [
        {document.stable_id for document in documents(archive(files, name))}
        for files, name in ((named, "a.zip"), (plain, "b.zip"))
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4


def test_the_basic_and_the_complete_zip_in_the_watch_folder_are_one_edition(archive, tmp_path) -> None:
    (tmp_path / "inbox").mkdir()
    archive({"Shares.csv": SHARES}, "inbox/Basic_LinkedInDataExport.zip")
    archive({"Comments.csv": COMMENTS}, "inbox/Complete_LinkedInDataExport.zip.zip")
    archive({"Profile.csv": "a"}, "inbox/other.zip")
    options = LinkedInOptions(watch=tmp_path / "inbox")
    events = assert_connector(CONNECTOR, options)
    assert len([event for event in events if isinstance(event, Found)]) == 4
    assert listings(events) == {"posts", "comments"}
    later = SHARES + f"2024-06-01 08:00:00,{LINK}72,A new one,,,PUBLIC\n"
    archive({"Shares.csv": later}, "inbox/zz_2025.zip")
    again = visited(CONNECTOR, options, remembered(events))
    assert "A new one" in [event.content for event in again if isinstance(event, Found)]


def test_posts_can_be_chosen_by_whom_they_were_shown_to(archive) -> None:
    shares = SHARES + f"2024-06-01 08:00:00,{LINK}72,For friends,,,CONNECTIONS\n"
    path = archive({"Shares.csv": shares})
    assert "For friends" in [document.content for document in documents(path)]
    chosen = documents(path, visibility=["public", "member_network"])
    assert [document.stable_id[-2:] for document in chosen] == ["71", "70"]


def test_two_answers_to_one_comment_are_two_documents() -> None:
    link = f"{LINK}80?commentUrn=urn%3Ali%3Acomment%3A%28activity%3A80%2C9%29"
    assert comment_id(link, "2024-05-03 09:00:00") != comment_id(link, "2024-05-03 09:00:01")
    assert comment_id(link, "x").startswith("urn:li:comment:(activity:80,9)")


def test_wrong_columns_name_file_line_and_column(export) -> None:
    with pytest.raises(ExportError, match=r"Shares\.csv:1: lacks the columns ShareLink, ShareCommentary"):
        documents(export({"Shares.csv": "Date,Text\n2024-01-01,hello\n"}))


def test_a_bad_row_among_good_ones_is_quarantined_with_its_line(export) -> None:
    events = visited(
        CONNECTOR,
        LinkedInOptions(export=export({"Shares.csv": SHARES + "2024-01-01,only two\nyesterday,x,text,,,\n"})),
    )
    assert len([event for event in events if isinstance(event, Found)]) == 2
    bad = quarantined(events)
    assert [item.where.rpartition(":")[2] for item in bad] == ["7", "8"]
    assert "2 fields where the header has 6" in bad[0].reason
    assert "not a date" in bad[1].reason
    assert not listings(events)


def test_a_csv_that_ends_inside_a_quote_is_not_swallowed(export) -> None:
    events = visited(CONNECTOR, LinkedInOptions(export=export({"Shares.csv": SHARES + '2024-01-01,x,"cut off\nhere'})))
    assert len([event for event in events if isinstance(event, Found)]) == 2
    assert "is not CSV" in quarantined(events)[0].reason


def test_an_export_with_none_of_its_files_is_an_error(export) -> None:
    with pytest.raises(ExportError, match=r"holds no Shares\.csv"):
        documents(export({"Profile.csv": "a"}))


def test_a_source_without_any_way_to_collect_is_refused() -> None:
    with pytest.raises(ValidationError, match="portability"):
        LinkedInOptions()


def test_the_sample_export_reads_as_ever() -> None:
    path = Path(sample.__file__).parent / "exports" / "linkedin.zip"
    found = documents(path)
    with zipfile.ZipFile(path) as file:
        pages = [name for name in file.namelist() if name.endswith(".html")]
    kinds = [document.category for document in found]
    assert kinds.count(Category.ARTICLE) == len(pages) == 3
    assert kinds.count(Category.POST) == 72
    assert all(document.published_at and document.url for document in found)


@given(st.text(alphabet=st.characters(blacklist_characters="\r", codec="utf-8")))
def test_line_breaks_come_back_exactly(text: str) -> None:
    assert restored_lines(text.replace("\n", '"\n"')) == text


@given(st.lists(st.text(alphabet='abc "', min_size=1).filter(lambda line: not line.startswith('"')), min_size=2))
def test_text_with_ordinary_line_breaks_is_left_alone(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert restored_lines(text) == text
