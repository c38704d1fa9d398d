"""Tasks of lm-evaluation-harness: run for real where it is installed, else said to be missing."""

import json
from importlib.util import find_spec

import pytest
import yaml

from llm_twin_assets.evaluation.measures.benchmark_tasks import task_measures
from resources.bases import find_base
from resources.benchmark_settings import Benchmarks
from resources.errors import ConfigurationError

BASE = find_base("tiny-llama").folder
IS_INSTALLED = find_spec("lm_eval") is not None


def test_without_tasks_nothing_is_asked(tmp_path):
    assert task_measures(tmp_path / "no model", Benchmarks(), 4, tmp_path / "cache") == {}


@pytest.mark.skipif(IS_INSTALLED, reason="lm_eval is installed")
def test_tasks_without_the_harness_are_an_error_that_says_what_to_install(tmp_path):
    with pytest.raises(ConfigurationError, match=r"not installed.*pip install"):
        task_measures(BASE, Benchmarks(tasks=("piqa",)), 4, tmp_path / "cache")


@pytest.mark.skipif(not IS_INSTALLED, reason="lm_eval is not installed")
def test_a_task_of_ones_own_is_measured_item_by_item(tmp_path):
    rows = [{"question": "Return the", "choices": [" value", " zebra loom"], "answer": each} for each in (0, 1, 0)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    task = {
        "task": "looms",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(tmp_path / "rows.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    (tmp_path / "looms.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    benchmarks = Benchmarks(tasks=("looms",), folder=str(tmp_path))
    [(measure, values)] = task_measures(BASE, benchmarks, 4, tmp_path / "cache" / "replies").items()
    assert (measure.name, measure.kind, measure.better) == ("task_looms", "non_inferior", "higher")
    assert [(each.document_id, each.value) for each in values] == [("looms/0", 1), ("looms/1", 0), ("looms/2", 1)]
    with pytest.raises(ConfigurationError, match="knows no task nope"):
        task_measures(BASE, Benchmarks(tasks=("nope",)), 4, tmp_path / "cache")
