"""A dataset version is made once of the same documents, settings and code."""

from dataclasses import replace

import pytest

from llm_twin_assets.datasets import making
from llm_twin_assets.datasets.making import bring_up_to_date
from llm_twin_assets_tests.datasets.made import article
from resources.settings import Author, Dataset, Settings, Source

DOCUMENTS = [article(f"a{number}") for number in range(8)]


def settings(**chosen: object) -> Settings:
    return Settings(authors={"maya": Author(name="Maya", sources=(Source(platform="files"),))}, **chosen)


def test_an_unchanged_corpus_makes_nothing_and_names_the_same_version(objects, monkeypatch) -> None:
    first = bring_up_to_date("maya", DOCUMENTS, objects, settings())
    monkeypatch.setattr(making, "generate", None)
    again = bring_up_to_date("maya", DOCUMENTS[::-1], objects, settings())
    assert (first.is_new, again.is_new) == (True, False)
    assert again.version == first.version


@pytest.mark.parametrize(
    "changed",
    [
        [replace(DOCUMENTS[0], title="Another Title Altogether"), *DOCUMENTS[1:]],
        [replace(DOCUMENTS[0], duplicate_of=DOCUMENTS[1].document_id), *DOCUMENTS[1:]],
        DOCUMENTS[1:],
    ],
    ids=["a title", "a duplicate", "one less"],
)
def test_a_change_makes_another_version(objects, changed) -> None:
    before = bring_up_to_date("maya", DOCUMENTS, objects, settings())
    after = bring_up_to_date("maya", changed, objects, settings())
    assert after.is_new
    assert after.version.digest != before.version.digest


def test_other_settings_make_another_version(objects) -> None:
    before = bring_up_to_date("maya", DOCUMENTS, objects, settings())
    after = bring_up_to_date("maya", DOCUMENTS, objects, settings(dataset=Dataset(max_answer_words=20)))
    assert after.version.digest != before.version.digest


def test_a_version_that_lost_its_manifest_is_made_again(objects) -> None:
    before = bring_up_to_date("maya", DOCUMENTS, objects, settings())
    objects.delete([f"{before.version.prefix}/manifest.json"])
    assert bring_up_to_date("maya", DOCUMENTS, objects, settings()).is_new
