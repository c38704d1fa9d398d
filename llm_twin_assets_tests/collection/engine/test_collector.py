from datetime import UTC, datetime, timedelta

import pytest

from llm_twin_assets.collection.connector import Gone, Listed, Notice, Quarantined, Remember, RobotsSkipped, Seen
from llm_twin_assets.collection.engine import stored
from llm_twin_assets.collection.engine.collector import SourceUnreadableError
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.forgotten import FORGOTTEN_TABLE, Tombstone, tombstone_rows, url_digest
from llm_twin_assets.domain.identity import document_id
from llm_twin_assets.domain.tables import raw_documents
from llm_twin_assets_tests.collection.conftest import NOW
from llm_twin_assets_tests.collection.scripted import Place, article, source
from resources.http import HttpError, UnavailableError

HERE, THERE = Place(), Place(place="there")
ALL = Listed("all")


@pytest.fixture
def rows(warehouse):
    """Raw articles by the number in their address."""

    def read():
        documents = raw_documents(warehouse.read("raw/articles", "maya"))
        return {(document.url or "").rpartition("/")[2]: document for document in documents}

    return read


def standing(warehouse) -> list[str]:
    return sorted(each.title or "" for each in stored.standing(warehouse, "maya", Category.ARTICLE))


def test_a_visit_stores_what_it_finds_and_a_second_one_writes_nothing(visit, warehouse) -> None:
    first = visit(source(article(1), article(2), ALL), HERE)
    assert (first.new, first.changed, first.unchanged, first.error) == (2, 0, 0, None)
    versions = [warehouse.version(table) for table in ("raw/articles", "collection/state")]
    second = visit(source(article(1), article(2), ALL), HERE)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 2)
    assert [warehouse.version(table) for table in ("raw/articles", "collection/state")] == versions


def test_an_edit_is_a_new_revision_and_the_old_one_can_still_be_read(visit, warehouse, rows) -> None:
    visit(source(article(1), ALL), HERE)
    before = warehouse.version("raw/articles")
    edited = visit(source(article(1, "Other words altogether."), ALL), HERE, now=NOW + timedelta(days=1))
    assert (edited.new, edited.changed) == (0, 1)
    assert rows()["1"].revision == 2
    assert rows()["1"].collected_at == NOW + timedelta(days=1)
    (old,) = raw_documents(warehouse.read("raw/articles", "maya", version=before))
    assert (old.revision, old.content) == (1, article(1).content)


def test_a_document_is_removed_at_the_second_visit_that_misses_it(visit, warehouse, rows) -> None:
    visit(source(article(1), article(2), ALL), HERE)
    assert visit(source(article(2), ALL), HERE).removed == 0
    assert standing(warehouse) == ["Article 1", "Article 2"]
    assert visit(source(article(2), ALL), HERE).removed == 1
    assert standing(warehouse) == ["Article 2"]
    assert rows()["1"].removed_at == NOW
    assert rows()["1"].content == article(1).content, "a tombstone keeps the text"
    assert visit(source(article(2), ALL), HERE).removed == 0


def test_an_error_is_never_an_absence(visit, warehouse) -> None:
    visit(source(article(1), article(2), ALL), HERE)
    for _ in range(3):
        failed = visit(source(article(2), ALL, HttpError("is down")), HERE)
        assert str(failed.error) == "is down"
    assert standing(warehouse) == ["Article 1", "Article 2"]


def test_what_came_before_an_error_is_stored(visit, warehouse) -> None:
    failed = visit(source(article(1), Remember("cursor", 7), HttpError("is down")), HERE)
    assert failed.error
    assert failed.new == 1
    connector = source(article(2), ALL)
    visit(connector, HERE)
    assert connector.given == {"cursor": 7}
    assert standing(warehouse) == ["Article 1", "Article 2"]


@pytest.mark.parametrize("again", [article(1), Seen(article(1).stable_id, "all")], ids=["found", "seen"])
def test_a_removed_document_that_is_there_again_comes_back(visit, warehouse, again) -> None:
    visit(source(article(1), article(2), ALL), HERE)
    for _ in range(2):
        visit(source(article(2), ALL), HERE)
    assert standing(warehouse) == ["Article 2"]
    back = visit(source(again, article(2), ALL), HERE)
    assert back.restored == 1
    assert standing(warehouse) == ["Article 1", "Article 2"]


def test_gone_twice_removes(visit, warehouse) -> None:
    visit(source(article(1), article(2)), HERE)
    for _ in range(2):
        visit(source(Gone(article(1).stable_id), Seen(article(2).stable_id, "all")), HERE)
    assert standing(warehouse) == ["Article 2"]


def test_one_source_never_removes_what_another_one_shows(visit, warehouse) -> None:
    visit(source(article(1), ALL), HERE)
    for _ in range(3):
        visit(source(article(2), ALL), THERE)
    assert standing(warehouse) == ["Article 1", "Article 2"]


def test_a_document_that_changes_its_category_stands_once(visit, warehouse) -> None:
    visit(source(article(1), ALL), HERE)
    moved = visit(source(article(1, category=Category.POST), ALL), HERE)
    assert moved.changed == 1
    assert stored.standing(warehouse, "maya", Category.ARTICLE) == []
    assert len(stored.standing(warehouse, "maya", Category.POST)) == 1
    again = visit(source(article(1, category=Category.POST), ALL), HERE)
    assert (again.changed, again.unchanged) == (0, 1)


def test_an_excerpt_is_stored_as_such_and_used_by_no_later_stage(visit, warehouse, rows) -> None:
    collected = visit(source(article(1, excerpt=True), ALL), HERE)
    assert collected.excerpts == 1
    assert rows()["1"].excerpt
    assert standing(warehouse) == []
    whole = visit(source(article(1, "The whole text, paid for, at last.", listing="export"), ALL), HERE)
    assert whole.changed == 1
    assert not rows()["1"].excerpt
    visit(source(article(1, excerpt=True), ALL), HERE)
    assert rows()["1"].content == "The whole text, paid for, at last."


def test_memory_is_given_back_but_not_for_a_document_that_was_lost(visit, warehouse) -> None:
    page = {"etag": '"1"', "stable_id": article(1).stable_id}
    lost = {"etag": '"2"', "stable_id": "https://maya.example/never-stored"}
    visit(source(article(1), Remember("https://a", page), Remember("https://b", lost), Remember("cursor", 3)), HERE)
    connector = source(article(1))
    visit(connector, HERE)
    assert connector.given == {"https://a": page, "cursor": 3}


def test_memory_that_is_set_to_none_is_forgotten(visit) -> None:
    visit(source(article(1), Remember("cursor", 3)), HERE)
    visit(source(article(1), Remember("cursor", None)), HERE)
    connector = source(article(1))
    visit(connector, HERE)
    assert connector.given == {}


def test_sources_do_not_share_their_memory(visit) -> None:
    visit(source(article(1), Remember("cursor", 3)), HERE)
    connector = source(article(2))
    visit(connector, THERE)
    assert connector.given == {}


def test_other_rules_make_a_source_be_read_anew(visit) -> None:
    visit(source(article(1), Remember("cursor", 3)), HERE)
    connector = source(article(1))
    visit(connector, HERE, scrub=("secrets",))
    assert connector.given == {}
    visit(source(article(1), Remember("cursor", 4)), HERE)
    newer = source(article(1), version=2)
    visit(newer, HERE)
    assert newer.given == {}


def test_a_server_that_asks_to_be_left_alone_is_not_asked_before_the_time(visit) -> None:
    later = NOW + timedelta(hours=2)
    busy = UnavailableError("answered 429", where="https://a.example", retry_at=later)
    assert visit(source(busy), HERE).error is busy
    asked = source(article(1))
    early = visit(asked, HERE, now=NOW + timedelta(hours=1))
    assert isinstance(early.error, UnavailableError)
    assert "left alone until 2026-01-01 02:00 UTC" in str(early.error)
    assert early.new == 0
    assert visit(asked, HERE, now=later).new == 1
    assert visit(asked, HERE, now=later).error is None


def test_a_source_that_never_showed_anything_is_an_error_that_shows_what_was_quarantined(visit) -> None:
    nothing = visit(source(Quarantined("a.md", "is not UTF-8")), HERE)
    assert isinstance(nothing.error, SourceUnreadableError)
    assert "none of its 1 documents can be read; the first: is not UTF-8" in str(nothing.error)
    assert "holds nothing published" in str(visit(source(), THERE).error)


def test_a_source_that_answers_that_nothing_is_new_is_fine(visit) -> None:
    visit(source(article(1), ALL), HERE)
    assert visit(source(Listed("all", again=True)), HERE).error is None


def test_the_last_of_two_documents_with_one_identity_wins_and_is_counted(visit, rows) -> None:
    both = source(article(1, "One edition."), article(1, "Two editions."), ALL)
    first = visit(both, HERE)
    assert (first.new, first.duplicates) == (1, 1)
    assert rows()["1"].content == "Two editions."
    again = visit(both, HERE)
    assert (again.new, again.changed) == (0, 0)


def test_titles_and_texts_are_scrubbed_and_counted(visit, rows) -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    collected = visit(source(article(1, f"# Write\n\n{key}\n", title="To a@b.se")), HERE)
    assert rows()["1"].title == "To [email]"
    assert rows()["1"].content == "# Write\n\n[secret]\n"
    assert collected.scrubbed == {"email": 1, "secrets": 1}


def test_text_that_cannot_be_stored_is_quarantined(visit, warehouse) -> None:
    collected = visit(source(article(1, title="\ud800"), article(2)), HERE)
    assert standing(warehouse) == ["Article 2"]
    assert "not Unicode" in collected.quarantined[0].reason


def test_everything_else_is_counted_and_kept_to_be_shown(visit) -> None:
    events = (Notice("a gap"), RobotsSkipped("https://a/b"), Remember("cursor", {"since": 9}), article(1))
    collected = visit(source(*events), HERE)
    assert collected.notices == ["a gap"]
    assert collected.robots_skipped == 1
    assert collected.cursor == {"since": 9}


def test_more_documents_than_a_batch_all_get_in(visit, warehouse) -> None:
    assert visit(source(*(article(n) for n in range(450)), ALL), HERE).new == 450
    assert warehouse.read("raw/articles", "maya", ["document_id"]).num_rows == 450


def test_a_table_of_an_earlier_version_is_taken_over(visit, warehouse, rows) -> None:
    import pyarrow as pa

    from llm_twin_assets.domain.tables import RAW_SCHEMA, to_table

    visit(source(article(1), ALL), HERE)
    (document,) = raw_documents(warehouse.read("raw/articles", "maya"))
    old_schema = pa.schema([RAW_SCHEMA.field(n) for n in RAW_SCHEMA.names[: RAW_SCHEMA.get_field_index("source")]])
    old = type(warehouse)(warehouse.uri("old"))
    old.upsert("raw/articles", to_table([document], RAW_SCHEMA).select(old_schema.names).cast(old_schema), "maya")
    known = stored.known_documents(old, "maya")
    assert [(each.source, each.revision, each.removed) for each in known.values()] == [("", 1, False)]
    assert len(stored.standing(old, "maya", Category.ARTICLE)) == 1
    stored.write(old, "maya", [document])
    assert raw_documents(old.read("raw/articles", "maya"))[0].source == "web:here"


def test_dates_of_editions_are_kept(visit, rows) -> None:
    exported = datetime(2025, 5, 5, tzinfo=UTC)
    visit(source(article(1, as_of=exported), article(2)), HERE)
    assert rows()["1"].as_of == exported
    assert rows()["2"].as_of == NOW


def test_what_is_to_be_forgotten_is_passed_over_under_whatever_name_it_comes(visit, warehouse, rows) -> None:
    visit(source(article(1), article(2), article(3), ALL), HERE)
    gone = {document_id("maya", article(number).stable_id): number for number in (1, 2)}
    stones = [
        Tombstone(key, "maya", url_digest("maya", f"https://maya.example/{number}"), "Noor", "asked", NOW)
        for key, number in gone.items()
    ]
    warehouse.upsert(FORGOTTEN_TABLE, tombstone_rows(stones), "maya")
    assert standing(warehouse) == ["Article 3"], "as long as its row is there, nobody uses it"
    warehouse.delete("raw/articles", "maya", "document_id", list(gone))

    again = article(2, stable_id="elsewhere:2", url="http://www.maya.example/2/#top")
    known = Remember("https://maya.example/1", {"stable_id": article(1).stable_id, "etag": "x"})
    met = source(article(1), known, again, Seen(article(2).stable_id, "all"), article(3), ALL)
    collected = visit(met, HERE)
    assert (collected.forgotten, collected.new, collected.unchanged) == (2, 0, 1)
    assert list(rows()) == ["3"]
    visit(met, HERE)
    assert met.given == {}, "nor is it remembered where it was"
    assert visit(source(article(1), ALL), THERE).error is None, "a source of nothing else is no broken one"
