"""What is left of a document that was forgotten: nothing, but where it is said to be."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from llm_twin_assets.datasets.version import current
from llm_twin_assets.domain.release import Release
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.forgetting.events import forget_events
from llm_twin_assets.forgetting.finding import Findings, UnknownDocumentError, find
from llm_twin_assets.forgetting.forget import Forgetting
from llm_twin_assets.forgetting.quotes import Quoted
from llm_twin_assets.forgetting.repointing import Wish
from llm_twin_assets.release.records import current_release, releases
from llm_twin_assets_tests.forgetting import remembered
from llm_twin_assets_tests.forgetting.remembered import AUTHOR, CANARY, NOW, Encoder, Home, traces
from resources.errors import StorageError
from resources.vector_store import Filters

URL = f"https://maya.example/{CANARY}"
PLACES = (
    "warehouse/raw", "warehouse/cleaned", "warehouse/collection", "warehouse/feedback", "warehouse/questions",
    "warehouse/answers_batch", "embedded", "objects/feedback", "objects/datasets", "objects/llm", "objects/evaluations",
    "dagster/history", "training", "evaluations",
)  # fmt: skip
# A person copies it from the address line.
SHARED = f"http://www.maya.example/{CANARY}/?utm_source=mail#top"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return remembered.made(tmp_path_factory.mktemp("remembered"))


def found(home: Home, name: str = URL) -> Findings:
    return find(name, AUTHOR, home.places, 20, with_copies=False)


def forget(
    home: Home,
    steps: int | None = None,
    *,
    settle: Callable[[Release], None] = lambda _: None,
    events: Callable[[Quoted], object] = lambda _: None,
    datasets: bool = False,
) -> None:
    """As many steps as are wanted, then it is as if it was killed."""
    wish = Wish("Noor", "she asked for it", NOW)
    forgetting = Forgetting(found(home), home.places, wish, Encoder.digest, settle, events, datasets)
    for _, step in islice(forgetting.steps(), steps):
        step()


def left(home: Home) -> list[str]:
    return [path.as_posix() for path in traces(Path(home.environment.home), CANARY)]


def test_the_canary_is_everywhere_then_nowhere_and_does_not_come_back(original: Home, tmp_path: Path) -> None:
    home = original.copied(tmp_path / "copy")
    before = left(home)
    for place in PLACES:
        assert any(path.startswith(place) for path in before), f"the test would prove nothing of {place}"
    document, versions = home.document(), found(home).versions
    serving: list[Release] = []

    forget(home, settle=serving.append, events=partial(forget_events, home.instance, AUTHOR), datasets=True)

    [kept] = [each.prefix for each in versions if each.used]
    assert left(home) == [f"objects/{kept}/train.parquet"], "a released model's dataset stays, marked"
    assert home.registered.models["1"]["stale"].startswith(f"learnt {document}")
    with pytest.raises(StorageError):
        current(home.places.objects, AUTHOR)

    # The index goes on without it, and the release that serves is one by whom and why.
    release = current_release(home.places.objects, AUTHOR)
    assert release is not None
    assert serving == [release]
    assert (release.model_version, release.decision, release.approver) == ("2", "forget", "Noor")
    assert release.snapshot == current_snapshot(AUTHOR, home.places.vectors, Encoder())
    for past in {each.model_version: each for each in releases(home.places.objects, AUTHOR)}.values():
        index = home.places.vectors.open(AUTHOR, past.snapshot)
        assert index.text(CANARY, 5, Filters()) == []
        assert index.text("ferry", 5, Filters())
        assert document not in index.rows(["document_id"])["document_id"].to_pylist()
    # What else was there still is.
    assert len(home.places.warehouse.read("cleaned/articles", AUTHOR)) == 10
    assert home.places.warehouse.read("feedback", AUTHOR)["answer"].to_pylist() == ["The ferry leaves at noon."]
    assert home.places.warehouse.read("questions", AUTHOR)["question_id"].to_pylist() == ["cited", "other"]
    assert home.places.warehouse.read("answers_batch", AUTHOR)["question_id"].to_pylist() == ["other"]
    assert b"ferry" in home.places.objects.get(f"evaluations/{AUTHOR}/1.md")
    assert b"forgotten" in home.places.objects.get(f"evaluations/{AUTHOR}/2.md")
    [copy] = home.registered.attached
    assert copy.startswith("2: evaluation.md: This report showed words of a document that was forgotten")

    # The source still has it, and even changes it: the next crawl and the next dataset pass it over.
    note = home.notes / "mill.md"
    note.write_text(note.read_text(encoding="utf-8").replace("twice", "thrice"), encoding="utf-8")
    dataset = home.run()
    assert left(home) == [f"objects/{kept}/train.parquet"]
    assert current(home.places.objects, AUTHOR).digest == dataset.digest
    assert document not in str(dataset.manifest)
    assert found(home).is_done


# After the tombstones, the rows, the marks, the index, its files, and one table's: between others nothing can differ.
KILLED_AFTER = (1, 4, 7, 8, 9, 11)


def test_killed_between_any_steps_it_is_gone_on_with_until_nothing_is_left(original: Home) -> None:
    home = original
    for steps in KILLED_AFTER:
        forget(home, steps)
        assert found(home, SHARED).ids == found(home, URL).ids, f"it is still known after {steps} steps"
        assert not found(home).is_done
        serving = current_release(home.places.objects, AUTHOR)
        assert serving is not None
        assert home.places.vectors.open(AUTHOR, serving.snapshot).text("ferry", 5, Filters())
    forget(home)
    assert [path for path in left(home) if not path.startswith(("objects/datasets", "dagster"))] == []
    assert found(home).is_done
    past = releases(home.places.objects, AUTHOR)
    assert [(each.model_version, each.decision) for each in past[2:]] == [("1", "forget"), ("2", "forget")]
    assert set(home.places.vectors.snapshots(AUTHOR)) == {each.snapshot for each in past[2:]}


def test_a_name_that_nobody_has_is_said_to_be_unknown(original: Home) -> None:
    with pytest.raises(UnknownDocumentError, match="no document of 'maya' is called"):
        found(original, "https://maya.example/none")
