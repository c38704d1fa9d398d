"""kill -9 at each commit of a collection: nothing is lost, nothing is there twice, nothing is removed."""

from pathlib import Path

import pytest

from llm_twin_assets.domain.tables import raw_documents
from llm_twin_assets_tests.collection.web import Web, local_web
from llm_twin_assets_tests.faults.killed_collection import collect, collect_and_die
from llm_twin_assets_tests.faults.own_process import ended
from resources.warehouse import Warehouse

pytestmark = pytest.mark.slow

PAGES = 6
SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
PAGE = "<html><head><title>Page {n}</title></head><body><article><h1>Page {n}</h1><p>{text}</p></article></body></html>"


@pytest.fixture
def site():
    with local_web() as web:
        yield filled(web, "About looms and what they weave, in some words that are enough.")


def filled(web: Web, text: str) -> Web:
    for n in range(PAGES):
        web.serve(f"/posts/{n}", PAGE.format(n=n, text=f"{text} Number {n}."))
    web.serve(
        "/sitemap.xml", SITEMAP.format("".join(f"<url><loc>{web.url}/posts/{n}</loc></url>" for n in range(PAGES)))
    )
    web.serve("/", "<html><body>home</body></html>")
    return web


def killed(home: Path, web: Web, number: int, when: str) -> int:
    return ended(collect_and_die, str(home), web.url, number, when)


def contents(warehouse: Warehouse) -> list[tuple[object, ...]]:
    rows = raw_documents(warehouse.read("raw/articles", "maya"))
    return sorted((row.url, row.content, row.revision, row.removed_at) for row in rows)


def test_a_collection_killed_at_any_commit_goes_on_and_ends_as_if_it_had_not_been(site, tmp_path) -> None:
    whole = Warehouse(str(tmp_path / "whole"))
    assert collect(whole, site.url).new == PAGES
    number, deaths = 1, 0
    while True:
        home = tmp_path / f"killed-{number}"
        when = "after" if number % 2 else "before"
        if killed(home, site, number, when) == 0:
            break
        deaths += 1
        warehouse = Warehouse(str(home))
        collect(warehouse, site.url)
        assert contents(warehouse) == contents(whole), f"killed {when} commit {number}"
        again = collect(warehouse, site.url)
        assert (again.new, again.changed, again.removed, again.unchanged) == (0, 0, 0, PAGES)
        number += 1
    assert deaths >= 6


def test_an_edit_whose_collection_is_killed_is_one_revision(site, tmp_path) -> None:
    home = tmp_path / "home"
    warehouse = Warehouse(str(home))
    collect(warehouse, site.url)
    filled(site, "Edited: of tapestry, and of those who weave it, in other words than before.")
    for number in (1, 2):
        assert killed(home, site, number, "after") != 0
    assert collect(warehouse, site.url).error is None
    rows = raw_documents(warehouse.read("raw/articles", "maya"))
    assert len(rows) == PAGES
    assert {row.revision for row in rows} == {2}
    assert all("tapestry" in row.content for row in rows)
