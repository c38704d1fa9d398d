"""Which samples are shown, and what is said to have changed."""

from dataclasses import replace

from llm_twin_assets.datasets.version import DatasetVersion
from llm_twin_assets.evaluation.exam.generation import Prompt
from llm_twin_assets.evaluation.report.changes import Row, Trained, data_changes, parameter_changes, training_cost
from llm_twin_assets.evaluation.report.samples import side_by_side
from llm_twin_assets.training import hyperparameters
from llm_twin_assets.training.plan import plan
from llm_twin_assets_tests.datasets.made import article, stored
from llm_twin_assets_tests.evaluation.written import output, sample
from resources.object_store import ObjectStore
from resources.settings import Dataset
from resources.training_settings import Training


def written(count: int, letters: str) -> list:
    return [output(letters * (number + 1), sample(document=f"d{number}")) for number in range(count)]


def test_the_best_the_worst_and_some_between_are_shown_and_none_twice() -> None:
    ours, theirs = written(60, "a"), written(60, "")
    shown = side_by_side(ours, theirs, lambda each: len(each.text), seed=1)
    assert [each.chosen for each in shown] == ["best"] * 7 + ["worst"] * 7 + ["random"] * 6
    assert [each.gain for each in shown[:7]] == [60, 59, 58, 57, 56, 55, 54]
    assert [each.gain for each in shown[7:14]] == [1, 2, 3, 4, 5, 6, 7]
    assert len({each.document_id for each in shown}) == 20
    assert shown == side_by_side(ours, theirs, lambda each: len(each.text), seed=1)


def test_answers_to_one_instruction_with_and_without_passages_are_told_apart() -> None:
    asked = sample()
    aided = Prompt(asked, ({"role": "user", "content": f"<passage>…</passage> {asked.instruction}"},))
    ours = [output("with nothing", asked), replace(output("with passages", asked), prompt=aided)]
    theirs = [replace(each, text="") for each in ours]
    shown = side_by_side(ours, theirs, lambda each: len(each.text), seed=1)
    assert {(each.how, each.candidate) for each in shown} == {("unaided", "with nothing"), ("with passages",) * 2}


def test_few_answers_are_all_shown() -> None:
    for count in (0, 1, 2, 5, 20):
        assert len(side_by_side(written(count, "a"), written(count, ""), lambda each: len(each.text), seed=1)) == count


def trained(objects: ObjectStore, dataset: DatasetVersion, training: Training, **tags: str) -> Trained:
    chosen = plan(training, parameters=1_000_000, context=1024)
    hyperparameters.store(objects, "maya", chosen)
    said = {"dataset_version": dataset.digest, "parameters_digest": chosen.digest, "base": "tiny-llama", **tags}
    return Trained.of(objects, "maya", said)


def test_only_what_differs_from_the_champion_is_told(objects: ObjectStore) -> None:
    corpus = [article(f"a{number}") for number in range(12)]
    before = trained(objects, stored(objects, corpus[:10], Dataset()), Training(), seconds="60")
    now = trained(objects, stored(objects, corpus, Dataset()), Training(learning_rate=0.002), seconds="80", tokens="9")
    data = {row.what: row for row in data_changes(before, now)}
    assert data["documents that are new"] == Row("documents that are new", "", "2")
    assert data["documents that are gone"].now == "0"
    assert "dataset version" in data
    assert "dataset.seed" not in data
    assert parameter_changes(before, now) == [Row("learning_rate", "0.005", "0.002")]
    assert training_cost(before, now) == [Row("training, seconds", "60", "80"), Row("training, tokens", "", "9")]


def test_a_first_candidate_tells_everything(objects: ObjectStore) -> None:
    now = trained(objects, stored(objects, [article(f"a{number}") for number in range(12)], Dataset()), Training())
    assert Row("dataset.seed", "", str(Dataset().seed)) in data_changes(None, now)
    assert Row("base model", "", "tiny-llama") in parameter_changes(None, now)


def test_a_champion_whose_dataset_is_gone_is_compared_by_what_is_left(objects: ObjectStore) -> None:
    now = trained(objects, stored(objects, [article(f"a{number}") for number in range(12)], Dataset()), Training())
    before = Trained.of(objects, "maya", {"dataset_version": "f" * 64, "base": "tiny-llama"})
    assert not any(row.what.startswith("documents that") for row in data_changes(before, now))
    assert Row("learning_rate", "", "0.005") in parameter_changes(before, now)
