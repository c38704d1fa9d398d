import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.connectors.linkedin import restored_lines
from llm_twin_assets.collection.export import ExportError
from llm_twin_assets.domain.document import Category

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


def test_posts_comments_and_articles_come_out_of_zip_and_folder(export, collect) -> None:
    collected = collect("linkedin", export=export(FILES))
    texts = [document.content for document in collected.documents]
    assert texts[:2] == ['First line\n\nHe said "yes"', 'One "line", with a comma']
    assert texts[2:4] == ['I led the "tea" team,\n\nuse \\d+ here', "The export left this date blank"]
    assert [document.category for document in collected.documents] == [Category.POST] * 4 + [Category.ARTICLE]
    assert not collected.quarantined


def test_an_article_keeps_its_fragment_address_and_date(export, collect) -> None:
    article = collect("linkedin", export=export(FILES)).documents[-1]
    assert article.title == "Reliability"
    assert article.url == "https://www.linkedin.com/pulse/reliability-maya"
    assert article.published_at is not None
    assert article.published_at.isoformat() == "2024-09-20T06:12:00+00:00"
    assert article.media_type == "text/html"
    assert article.content.startswith('<p>Body with <a target="_blank" href=')
    assert "x  =  1\n    y" in article.content


def test_member_id_suffix_and_inner_folder_do_not_matter(archive, collect) -> None:
    named = {"Basic_Export/Shares_155814142.csv": SHARES, "Basic_Export/Comments_155814142.csv": COMMENTS}
    plain = {"Shares.csv": SHARES, "Comments.csv": COMMENTS}
    ids = [
        {document.document_id for document in collect("linkedin", export=archive(files, name)).documents}
        for files, name in ((named, "a.zip"), (plain, "b.zip"))
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4


def test_wrong_columns_name_file_line_and_column(export, collect) -> None:
    with pytest.raises(ExportError, match=r"Shares\.csv:1: lacks the columns ShareLink, ShareCommentary"):
        collect("linkedin", export=export({"Shares.csv": "Date,Text\n2024-01-01,hello\n"}))


def test_a_bad_row_among_good_ones_is_quarantined_with_its_line(export, collect) -> None:
    collected = collect(
        "linkedin", export=export({"Shares.csv": SHARES + "2024-01-01,only two\nyesterday,x,text,,,\n"})
    )
    assert len(collected.documents) == 2
    assert [item.where.rpartition(":")[2] for item in collected.quarantined] == ["7", "8"]
    assert "2 fields where the header has 6" in collected.quarantined[0].reason
    assert "not a date" in collected.quarantined[1].reason


def test_a_csv_that_ends_inside_a_quote_is_not_swallowed(export, collect) -> None:
    collected = collect("linkedin", export=export({"Shares.csv": SHARES + '2024-01-01,x,"cut off\nhere'}))
    assert len(collected.documents) == 2
    assert "is not CSV" in collected.quarantined[0].reason


def test_an_export_with_none_of_its_files_is_an_error(export, collect) -> None:
    with pytest.raises(ExportError, match=r"holds no Shares\.csv"):
        collect("linkedin", export=export({"Profile.csv": "a"}))


@given(st.text(alphabet=st.characters(blacklist_characters="\r", codec="utf-8")))
def test_line_breaks_come_back_exactly(text: str) -> None:
    assert restored_lines(text.replace("\n", '"\n"')) == text


@given(st.lists(st.text(alphabet='abc "', min_size=1).filter(lambda line: not line.startswith('"')), min_size=2))
def test_text_with_ordinary_line_breaks_is_left_alone(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert restored_lines(text) == text
