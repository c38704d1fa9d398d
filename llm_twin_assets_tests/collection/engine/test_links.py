from datetime import UTC, datetime

import pytest

from llm_twin_assets.collection.connector import Listed
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.links import link_copies
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.collection.scripted import Place, article, source

HERE = Place()
FIRST, LATER = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
PIECE = "The warp is what the loom holds, the weft is what the hand brings. " + " ".join(
    f"Row {number} of the pattern lifts shaft {number % 4} and beats twice." for number in range(30)
)


def dated(number: int, text: str, when: datetime):
    return article(number, text, published_at=when, dated_by="platform")


@pytest.fixture
def on_two_platforms(visit, warehouse):
    visit(source(dated(1, PIECE, LATER), Listed("all"), platform="medium"), HERE)
    visit(source(dated(2, f"**{PIECE}**", FIRST), dated(3, "Of something else.", FIRST), Listed("all")), HERE)
    assert link_copies(warehouse, "maya") == 1


def titles(warehouse) -> list[str | None]:
    return sorted(each.title for each in stored.standing(warehouse, "maya", Category.ARTICLE))


def test_a_piece_on_two_platforms_counts_once_as_its_first_publication(on_two_platforms, warehouse) -> None:
    assert titles(warehouse) == ["Article 2", "Article 3"]
    assert warehouse.read("raw/articles", "maya").num_rows == 3, "the copy keeps its row"


def test_the_copy_takes_the_place_of_an_original_that_disappears(on_two_platforms, visit, warehouse) -> None:
    for _ in range(2):
        visit(source(dated(3, "Of something else.", FIRST), Listed("all")), HERE)
    assert link_copies(warehouse, "maya") == 0
    assert titles(warehouse) == ["Article 1", "Article 3"]


def test_a_copy_that_is_edited_into_another_piece_is_one(on_two_platforms, visit, warehouse) -> None:
    other = " ".join(f"Word{number} that nobody else has written." for number in range(80))
    visit(source(dated(1, other, LATER), Listed("all"), platform="medium"), HERE)
    assert link_copies(warehouse, "maya") == 0
    assert titles(warehouse) == ["Article 1", "Article 2", "Article 3"]


def test_links_are_made_anew_only_where_something_changed(on_two_platforms, visit, warehouse) -> None:
    tables = ("collection/cross_posts", "collection/state")
    versions = [warehouse.version(table) for table in tables]
    assert link_copies(warehouse, "maya") == 1
    assert [warehouse.version(table) for table in tables] == versions


def test_an_author_with_nothing_has_no_links(warehouse) -> None:
    assert link_copies(warehouse, "maya") == 0
