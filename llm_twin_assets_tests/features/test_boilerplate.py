"""What recurs at the edges of a site's documents goes; what an author repeats anywhere else stays."""

from dataclasses import replace

import pytest

from llm_twin_assets.features.boilerplate import Taken, edges, rules_of, site_boilerplate, without_boilerplate
from llm_twin_assets.features.clean import cleaner
from llm_twin_assets.features.incremental import clean_changed

GREETING = "_Hello there, this is the Loom Letter._"
FOOTER = "#### Images\n\nIf not otherwise stated, all images are woven by hand.\n\nAda"
TOPICS = ("cards", "shuttles", "oil", "dust", "cats", "brushes", "windows", "threads", "steam", "brass")


def article(topic, *, head="", foot=""):
    body = "\n\n".join(f"On {topic}, part {part}: it's a matter of {topic} and patience." for part in range(12))
    return "\n\n".join(
        filter(None, (head, f"Why {topic} matter", body, "## Conclusion", f"So much for {topic}.", foot))
    )


@pytest.fixture
def make_articles(make_raw):
    def make(number, *, head=GREETING, foot=FOOTER, site="loom.example.org", start=0):
        return [
            make_raw(
                article(topic, head=head, foot=foot), name=topic, title=f"On {topic}", url=f"https://{site}/{topic}"
            )
            for topic in TOPICS[start : start + number]
        ]

    return make


def test_what_recurs_at_the_edges_goes_and_is_on_record(make_articles):
    result = clean_changed(make_articles(6), [])
    assert [document.text for document in result.documents] == [article(topic) for topic in TOPICS[:6]]
    for document in result.documents:
        assert rules_of(document.cleaner) == cleaner()
        assert (len(Taken.from_(document).head), len(Taken.from_(document).tail)) == (1, 3)
        assert document.words == len(document.text.split())


def test_headings_captions_and_what_stands_in_the_middle_stay(make_articles):
    raw = make_articles(8, head="Image by author", foot="## References")
    assert [document.text for document in clean_changed(raw, []).documents] == [
        article(topic, head="Image by author", foot="## References") for topic in TOPICS[:8]
    ]
    middle = [
        replace(each, content=each.content.replace("part 9:", "part 9:\n\nWe may say so most aptly.")) for each in raw
    ]
    assert all("We may say so most aptly." in document.text for document in clean_changed(middle, []).documents)


def test_a_few_of_many_are_a_series_not_a_layout(make_articles):
    raw = [*make_articles(3), *make_articles(7, head="", foot="", start=3)]
    assert [document.text for document in clean_changed(raw, []).documents] == [each.content for each in raw]


def test_sites_are_told_apart(make_articles):
    raw = [
        *make_articles(2),
        *make_articles(2, site="b.example.org", start=2),
        *make_articles(2, site="c.example.org", start=4),
    ]
    assert [document.text for document in clean_changed(raw, []).documents] == [each.content for each in raw]


def test_versions_of_one_piece_are_no_layout(make_raw, make_articles):
    versions = [
        make_raw(
            f"{article('looms')}\n\nVersion {number}.", name=f"v{number}", url=f"https://loom.example.org/v{number}"
        )
        for number in range(3)
    ]
    result = clean_changed([*versions, *make_articles(6, head="", foot="")], [])
    assert all("So much for looms." in document.text for document in result.documents[:3])


def test_a_document_that_is_mostly_boilerplate_keeps_it(make_raw, make_articles):
    short = make_raw(f"Soon.\n\n{FOOTER}", name="soon", title="Soon", url="https://loom.example.org/soon")
    assert clean_changed([*make_articles(6), short], []).documents[-1].text == short.content


def test_code_at_an_edge_is_never_boilerplate(make_articles):
    code = "```sh\nweave --cards ./cards and nothing but cards\n```"
    raw = make_articles(6, head="", foot=code)
    assert all(document.text.endswith(code) for document in clean_changed(raw, []).documents)


def test_an_unchanged_site_is_not_cleaned_again(make_articles):
    raw = make_articles(6)
    before = clean_changed(raw, []).documents
    after = clean_changed(raw, before)
    assert after.cleaned == 0
    assert all(now is then for now, then in zip(after.documents, before, strict=True))


def test_a_new_document_costs_one_document_and_comes_out_as_the_others(make_articles):
    before = clean_changed(make_articles(6), []).documents
    after = clean_changed(make_articles(7), before)
    assert after.cleaned == 1
    assert after.documents[-1].text == article("windows")


def test_what_becomes_boilerplate_goes_from_documents_that_did_not_change(make_articles):
    before = clean_changed(make_articles(2), []).documents
    assert FOOTER in before[0].text
    after = clean_changed(make_articles(5), before)
    assert after.cleaned == 5
    assert [document.text for document in after.documents] == [article(topic) for topic in TOPICS[:5]]


def test_boilerplate_stays_boilerplate_until_it_is_half_as_common_and_then_comes_back(make_articles):
    before = clean_changed(make_articles(6), []).documents
    some = [*make_articles(3), *make_articles(3, foot="", start=3)]
    kept = clean_changed(some, before)
    assert kept.cleaned == 3
    assert FOOTER not in kept.documents[0].text
    few = [*make_articles(1), *make_articles(5, foot="", start=1)]
    returned = clean_changed(few, kept.documents)
    assert returned.documents[0].text.endswith(FOOTER)
    assert GREETING not in returned.documents[0].text


def test_in_whatever_order_a_site_grows_it_ends_the_same(make_articles):
    raw = make_articles(7)
    at_once = {each.document_id: each.text for each in clean_changed(raw, []).documents}
    documents = ()
    for number in range(1, 8):
        documents = clean_changed(raw[-number:], documents).documents
    assert {each.document_id: each.text for each in documents} == at_once


def test_posts_and_code_are_not_looked_at(make_cleaned):
    posts = [
        replace(make_cleaned(f"{GREETING}\n\nOn {topic}.", name=topic), category="post", url=None) for topic in TOPICS
    ]
    changed = {each.document_id for each in posts}
    assert without_boilerplate(posts, changed, lambda _: pytest.fail("cleaned again")) == tuple(posts)


def test_the_two_edges_are_told_apart(make_cleaned):
    page = edges(make_cleaned("On top of all.\n\nMiddle.\n\nAt the very end."))
    assert not page.head & page.tail
    assert site_boilerplate([page] * 9) == page.keys
