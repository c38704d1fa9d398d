"""`twin forget`: nothing is done that was not said, and what is in the way is named."""

from dataclasses import replace

import dagster as dg
import pytest

from llm_twin_assets.domain.tables import CLEANED_SCHEMA, to_table
from llm_twin_assets.instance import open_instance
from llm_twin_assets_tests.commands.typed import Configure, Twin, said
from llm_twin_assets_tests.conftest import cleaned
from resources.settings import Environment
from resources.warehouse import Warehouse

TEXT = "The miller counts his sacks aloud, and nobody else in the valley does. " * 3
URL = "https://example.com/mill"


@pytest.fixture
def stored(configure: Configure, warehouse: Warehouse) -> Warehouse:
    """Two documents, of which one says what the other says, and a third."""
    configure()
    mill, again, bread = cleaned("mill", TEXT), cleaned("again", TEXT), cleaned("bread", "Rye wants a long night.")
    again = replace(again, duplicate_of=mill.document_id)
    warehouse.upsert("cleaned/articles", to_table([mill, again, bread], CLEANED_SCHEMA), "maya")
    return warehouse


def titles(warehouse: Warehouse) -> set[str]:
    return set(warehouse.read("cleaned/articles", "maya")["title"].to_pylist())


def test_without_yes_it_is_only_shown_what_would_go(twin: Twin, stored: Warehouse) -> None:
    shown = twin("forget", URL)
    assert shown.exit_code == 0, shown.output
    assert "'mill' https://example.com/mill" in shown.stdout
    assert "says the same: 'again' https://example.com/again" in shown.stdout
    assert "Nothing was changed" in shown.stdout
    assert titles(stored) == {"mill", "again", "bread"}
    assert stored.version("forgotten") is None


def test_an_unknown_name_and_an_unknown_author_are_said_to_be_so(twin: Twin, stored: Warehouse) -> None:
    assert "no document of maya is called 'https://example.com/none'" in said(
        twin("forget", "https://example.com/none")
    )
    assert "there is no author 'nobody'" in said(twin("forget", URL, "--author", "nobody"))


def test_what_becomes_of_copies_has_to_be_said(twin: Twin, stored: Warehouse) -> None:
    assert "1 other documents say the same. Say --copies" in said(twin("forget", URL, "--yes"))
    assert titles(stored) == {"mill", "again", "bread"}


def test_it_waits_for_runs_that_go_on(twin: Twin, stored: Warehouse) -> None:
    going = dg.DagsterRun(job_name="build_candidate", status=dg.DagsterRunStatus.STARTED)
    open_instance(Environment.current()).add_run(going)
    assert f"1 runs are going on, the first is {going.run_id}" in said(twin("forget", URL, "--yes", "--copies"))
    assert titles(stored) == {"mill", "again", "bread"}


@pytest.mark.parametrize(("choice", "left"), [("--copies", {"bread"}), ("--keep-copies", {"again", "bread"})])
def test_with_yes_it_goes_once_and_for_all(twin: Twin, stored: Warehouse, choice: str, left: set[str]) -> None:
    done = twin("forget", URL, "--yes", choice, "--by", "Noor", "--reason", "she asked")
    assert done.exit_code == 0, done.output
    assert "the source itself" in done.stdout
    assert titles(stored) == left
    [stone] = [
        row
        for row in stored.read("forgotten", "maya").to_pylist()
        if row["document_id"] == cleaned("mill", "").document_id
    ]
    assert (stone["who"], stone["why"]) == ("Noor", "she asked")
    assert stone["done_at"] is not None
    again = twin("forget", URL, "--yes")
    assert again.exit_code == 0
    assert "It was forgotten before" in again.stdout
