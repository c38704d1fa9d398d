"""Can a model still do what its base could? Tasks of lm-evaluation-harness, where twin.yaml names some."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llm_twin_assets.datasets.preference_generation import load
from llm_twin_assets.evaluation.measure import Better, DocumentValue, Measure, Measured
from resources.benchmark_settings import Benchmarks
from resources.errors import ConfigurationError

_SEED = 13


def task_measures(folder: Path, benchmarks: Benchmarks, batch_size: int, cache: Path) -> Measured:
    """The first metric of each task, item by item; an item stands in the place of a document.

    `cache` is a file of the model's own, in which the harness keeps every reply: what was killed is gone on from.
    Raises `ConfigurationError` where the harness is not installed or does not know a task.
    """
    if not benchmarks.tasks:
        return {}
    try:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise ConfigurationError(
            f"lm-evaluation-harness is not installed ({error})",
            where="twin.yaml: evaluation.benchmarks",
            mend='Run `pip install "lm_eval>=0.4.13,<0.5"`, or name no tasks.',
        ) from error
    manager = TaskManager(include_path=benchmarks.folder)
    if unknown := sorted(set(benchmarks.tasks) - set(manager.all_tasks)):
        raise ConfigurationError(
            f"lm-evaluation-harness knows no task {', '.join(unknown)}",
            where="twin.yaml: evaluation.benchmarks.tasks",
            mend="`lm_eval ls tasks` lists those it knows; your own go into benchmarks.folder.",
        )
    tokenizer, model = load(folder)
    cache.parent.mkdir(parents=True, exist_ok=True)
    found: Mapping[str, Any] = simple_evaluate(
        model=HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch_size),
        tasks=list(benchmarks.tasks),
        limit=benchmarks.limit,
        task_manager=manager,
        use_cache=str(cache),
        bootstrap_iters=0,
        random_seed=_SEED,
        numpy_random_seed=_SEED,
        torch_random_seed=_SEED,
        fewshot_random_seed=_SEED,
    )
    return dict(_measured(found))


def _measured(found: Mapping[str, Any]) -> Iterator[tuple[Measure, list[DocumentValue]]]:
    for task, rows in sorted(found["samples"].items()):
        metric = rows[0]["metrics"][0]
        better: Better = "higher" if found["higher_is_better"][task].get(metric, True) else "lower"
        measure = Measure(f"task_{task}", f"{task} ({metric}, lm-eval)", "non_inferior", better)
        yield measure, [DocumentValue(f"{task}/{row['doc_id']}", float(row[metric])) for row in rows]
