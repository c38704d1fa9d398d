"""Of documents that say the same one stands for all; which one depends on nothing but the documents."""

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets.features.incremental import clean_changed, documents_digest
from llm_twin_assets.features.near_duplicates import duplicates, originals, signature
from llm_twin_assets.features.soundness import without_original

WORDS = [f"{a}{b}" for a in ("loom", "card", "mill", "store", "weft", "warp", "gear", "axle") for b in range(40)]
DAY = datetime(2025, 1, 1, tzinfo=UTC)


def words(seed, count=200):
    return random.Random(seed).choices(WORDS, k=count)  # noqa: S311 - no secret


def edited(text, places):
    said = text.split()
    for place in places:
        said[place] = "altered"
    return " ".join(said)


def document(name, text, *, day=0, category=Category.ARTICLE, language=None):
    made = CleanedDocument(
        document_id=document_id("ada", name),
        author="ada",
        platform="files",
        category=category,
        url=None,
        title=name,
        text=text,
        language="en",
        code_language=language,
        repository=None,
        path=None,
        published_at=None if day is None else DAY + timedelta(days=day),
        words=len(text.split()),
        content_hash=content_hash(text),
        raw_hash="",
        cleaner="test",
    )
    return replace(made, signature=signature(made))


ONE = " ".join(words(1))


def named(found):
    names = {document_id("ada", name): name for name in "abcdefgh"}
    return {names[key]: names[value] for key, value in found.items()}


def test_the_earliest_stands_then_the_longest_and_undated_ones_come_last():
    longer = edited(ONE, [9]) + " and more"
    assert named(duplicates([document("a", ONE, day=2), document("b", edited(ONE, [5]), day=1)])) == {"a": "b"}
    assert named(duplicates([document("a", ONE), document("b", longer)])) == {"a": "b"}
    assert named(duplicates([document("a", longer, day=None), document("b", ONE, day=9)])) == {"a": "b"}


def test_a_copy_is_never_the_copy_of_a_copy():
    texts = [ONE, edited(ONE, range(0, 16, 2)), edited(ONE, range(0, 32, 2))]
    documents = [document(name, text, day=day) for day, (name, text) in enumerate(zip("abc", texts, strict=True))]
    # c is like b, which is a copy of a; it is not like a.
    assert named(duplicates(documents)) == {"b": "a"}


def test_markup_links_and_case_make_no_difference_and_other_words_do():
    marked = f"## {ONE[:40]}*{ONE[40:80]}*{ONE[80:]}".replace("loom1 ", "[loom1](https://e.org/x) ").upper()
    assert named(duplicates([document("a", ONE), document("b", marked, day=1)])) == {"b": "a"}
    assert duplicates([document("a", ONE), document("b", " ".join(words(2)))]) == {}
    half = " ".join([*ONE.split()[:140], *words(3, 60)])
    assert duplicates([document("a", ONE), document("b", half)]) == {}


def test_short_posts_are_no_duplicates_whatever_they_say():
    greetings = [document(name, "Happy new year to all of you!", category=Category.POST) for name in "abc"]
    assert duplicates(greetings) == {}


def test_posts_of_one_template_that_differ_in_their_point_stand_for_themselves():
    template = "Day {} of a hundred days of weaving. Today I read about {} and wove two {} by hand. #100days"
    said = [template.format(n, a, b) for n, a, b in ((1, "cards", "belts"), (2, "mills", "rugs"), (3, "axles", "bags"))]
    posts = [document(name, text, category=Category.POST) for name, text in zip("abc", said, strict=True)]
    assert duplicates(posts) == {}
    again = document("d", said[0] + " 🎉", category=Category.POST, day=400)
    assert named(duplicates([*posts, again])) == {"d": "a"}


LICENCE = (
    "# Copyright 2025 Ada Lovelace\n" + "# Licensed under the Apache License, Version 2.0: words words words\n" * 12
)


def code(name, body, day=0, language="python"):
    return document(name, LICENCE + body, day=day, category=Category.CODE, language=language)


def test_files_are_compared_without_the_licence_that_all_of_them_have():
    short = [code(name, f"from engine import {name}\n") for name in "ab"]
    assert duplicates(short) == {}
    bodies = ["\n".join(f"{word} = weave({word}, {n})" for n, word in enumerate(words(seed, 60))) for seed in (1, 2)]
    assert duplicates([code("a", bodies[0]), code("b", bodies[1])]) == {}


def test_only_files_that_are_the_same_but_for_a_line_or_so_are_copies():
    body = "\n".join(f"{word}_{n} = weave({word}, {n})" for n, word in enumerate(words(1, 80)))
    vendored = code("b", body + "\n# vendored\n", day=1)
    assert named(duplicates([code("a", body), vendored])) == {"b": "a"}
    changed = code("b", body.replace("weave", "unravel", 9), day=1)
    assert duplicates([code("a", body), changed]) == {}
    assert duplicates([code("a", body), code("b", body, language="ruby")]) == {}


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 6))
def test_order_makes_no_difference_and_what_comes_later_changes_nothing(rng, count):
    texts = [edited(" ".join(words(seed % 3, 60)), [seed]) for seed in range(count)]
    documents = [document(name, text, day=day) for day, (name, text) in enumerate(zip("abcdef", texts, strict=False))]
    found = duplicates(documents)
    shuffled = rng.sample(documents, len(documents))
    assert duplicates(shuffled) == found
    later = document("h", texts[0] if texts else ONE, day=99)
    assert {key: value for key, value in duplicates([*documents, later]).items() if key != later.document_id} == found


def test_cleaning_marks_duplicates_and_frees_them_when_the_original_goes(make_raw):
    text = ONE.replace(" loom", ". Loom")
    first = make_raw(text, name="a", published_at=DAY)
    again = make_raw(f"{text} Again.", name="b", published_at=DAY + timedelta(days=9))
    both = clean_changed([again, first], [])
    assert [each.document_id for each in originals(both.documents)] == [first.document_id]
    assert without_original(both.documents) == []
    unchanged = clean_changed([again, first], both.documents)
    assert (unchanged.documents, unchanged.reused) == (both.documents, 2)
    alone = clean_changed([again], both.documents)
    assert (alone.cleaned, alone.documents[0].duplicate_of) == (0, None)
    assert documents_digest(alone.documents) != documents_digest(both.documents[:1])


def test_a_duplicate_of_what_is_not_there_is_found(make_cleaned):
    stray = replace(make_cleaned("x"), duplicate_of="gone")
    assert without_original([stray]) == [stray.document_id]


def test_twenty_thousand_documents_are_compared_in_seconds():
    rng = random.Random(7)  # noqa: S311 - no secret
    plain = document("a", ONE)
    standing = [replace(plain, document_id=f"a{n}", signature=rng.randbytes(512)) for n in range(19_000)]
    copies = [replace(each, document_id=f"b{each.document_id}") for each in standing[::19]]
    started = time.process_time()
    assert duplicates([*standing, *copies]) == {each.document_id: each.document_id[1:] for each in copies}
    assert time.process_time() - started < 20
