import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.collection.engine.cross_posts import Link, Piece, fingerprint, link
from llm_twin_assets.domain.document import Category

NOW = datetime(2025, 3, 1, tzinfo=UTC)
VOCABULARY = [f"word{number}" for number in range(3000)]


def prose(seed: int, words: int = 400) -> str:
    return " ".join(random.Random(seed).choices(VOCABULARY, k=words))  # noqa: S311 - has to be the same every time


def edited(text: str, share: float) -> str:
    chance = random.Random(7)  # noqa: S311
    return " ".join("edited" if chance.random() < share else word for word in text.split())


def piece(name: str, text: str, place: str = "medium", days: float = 0, **changes: object) -> Piece:
    marks = fingerprint(text, "text/markdown")
    values = {
        "document_id": name,
        "platform": place,
        "source": "maya",
        "category": Category.ARTICLE,
        "published_at": NOW + timedelta(days=days),
        "words": marks.words,
        "words_hash": marks.words_hash,
        "signature": marks.signature,
        **changes,
    }
    return Piece(**values)  # type: ignore[arg-type]


def pairs(*pieces: Piece) -> dict[str, str]:
    return {each.document_id: each.canonical_id for each in link(pieces)}


def test_the_same_words_on_two_platforms_are_linked_to_the_earliest() -> None:
    text = prose(1)
    assert link([piece("b", text, "substack", 2), piece("a", text, "medium", 1)]) == [Link("b", "a", "exact", 1.0)]


def test_markup_does_not_matter() -> None:
    html, markdown = "<p>" + prose(1).replace(" ", " <b>x</b> ", 9) + "</p>", prose(1).replace(" ", " **x** ", 9)
    assert fingerprint(html, "text/html").words_hash == fingerprint(markdown, "text/markdown").words_hash


def test_a_few_edits_and_another_ending_are_near() -> None:
    text = prose(1)
    found = link([piece("a", text), piece("b", edited(text, 0.02) + " Thank you for reading.", "substack", 1)])
    assert [(each.document_id, each.canonical_id, each.kind) for each in found] == [("b", "a", "near")]
    assert 0.8 <= found[0].similarity < 1


def test_what_shares_half_of_its_words_is_another_piece() -> None:
    text = prose(1)
    assert pairs(piece("a", text), piece("b", text[: len(text) // 2] + prose(2, 200), "substack", 1)) == {}


def test_two_editions_in_one_place_are_no_cross_posts() -> None:
    text = prose(1)
    assert pairs(piece("a", text), piece("b", text, days=1), piece("c", edited(text, 0.01), days=2)) == {}
    assert pairs(piece("a", text), piece("b", text, days=1, source="another")) == {"b": "a"}


def test_a_copy_is_never_linked_to_a_copy() -> None:
    text = prose(1)
    assert pairs(piece("a", text), piece("b", text, "substack", 1), piece("c", edited(text, 0.01), "web", 2)) == {
        "b": "a",
        "c": "a",
    }


def test_the_longest_then_the_first_by_id_stands_where_dates_are_equal_or_missing() -> None:
    text = prose(1)
    assert pairs(piece("b", text), piece("a", text, "web")) == {"b": "a"}
    assert pairs(piece("a", text), piece("b", text + " the end", "web")) == {"a": "b"}
    assert pairs(piece("a", text, published_at=None), piece("b", text, "web")) == {"a": "b"}


def test_the_most_alike_is_chosen_not_the_first() -> None:
    template = prose(1)
    weeks = [f"{template} {prose(week, 30)}" for week in (11, 12)]
    originals = [piece(f"a{week}", text, days=week * 7) for week, text in enumerate(weeks)]
    copies = [piece(f"b{week}", text + " also here", "web", week * 7 + 1) for week, text in enumerate(weeks)]
    assert pairs(*originals, *copies) == {"b0": "a0", "b1": "a1"}


def test_a_greeting_is_a_cross_post_only_in_the_same_week_and_to_the_letter() -> None:
    greeting = "Happy new year, weavers!"
    posts = [
        piece("a", greeting, "linkedin"),
        piece("b", greeting, "mastodon", 1),
        piece("c", greeting, "mastodon", 365),
        piece("d", "Happy new year to weavers!", "x"),
        piece("e", greeting, "x", published_at=None),
    ]
    assert pairs(*posts) == {"b": "a"}


def test_code_and_pieces_without_a_word_are_not_linked() -> None:
    text = prose(1)
    assert pairs(*(piece(place, text, place, category=Category.CODE) for place in "ab")) == {}
    assert pairs(*(piece(place, "![](a.jpg)", place) for place in "ab")) == {}


@pytest.mark.parametrize("words", [60, 150, 300])
def test_what_a_paywall_lets_through_belongs_to_the_whole_although_it_came_first(words: int) -> None:
    text = prose(1, 1200)
    teaser = piece("a", "A title " + " ".join(text.split()[:words]), "substack", 0, excerpt=True)
    found = link([teaser, piece("b", text, "medium", 5), piece("c", prose(2, 1200), "web", 5)])
    assert [(each.document_id, each.canonical_id, each.kind) for each in found] == [("a", "b", "excerpt")]


def test_an_excerpt_is_never_what_a_whole_is_linked_to() -> None:
    text = prose(1)
    assert pairs(piece("a", text, "substack", 0, excerpt=True), piece("b", text, days=9)) == {"a": "b"}


@given(st.permutations(range(8)))
def test_the_order_of_the_pieces_does_not_matter(order: list[int]) -> None:
    text = prose(1, 60)
    pieces = [piece(f"p{n}", edited(text, 0.01 * (n // 3)), "abc"[n % 3], n // 2) for n in range(8)]
    assert link([pieces[n] for n in order]) == link(pieces)


def test_a_signature_is_the_same_in_every_process_and_compact() -> None:
    program = (
        "from llm_twin_assets.collection.engine.cross_posts import fingerprint as f;"
        "print(f('one two three four five six seven eight nine', 'text/plain').signature.hex())"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    here = fingerprint("One two, three four five six seven eight nine.", "text/plain").signature
    assert bytes.fromhex(printed) == here
    assert len(here) == 768
    # Signatures in a warehouse have to stay comparable: a change here needs a migration.
    assert here[:8].hex() == "af7f34063e9c5210"


def test_twenty_thousand_pieces_take_seconds() -> None:
    chance = random.Random(1)  # noqa: S311
    pieces = [
        piece(f"{n}", "x", "abcd"[n % 4], n / 10, words=300, words_hash=str(n), signature=chance.randbytes(768))
        for n in range(20_000)
    ]
    start = time.process_time()
    assert link(pieces) == []
    assert time.process_time() - start < 20
