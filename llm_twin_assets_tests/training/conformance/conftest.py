"""Each family's model is made once, and trained once with LoRA: many tests look at the same."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from families import FAMILIES, save_family
from tiny_training import pairs, spec_for, write_dataset

from llm_twin_assets.training.spec import TrainingSpec
from llm_twin_assets.training.train import train
from resources.registry import Registry

Order = Callable[..., TrainingSpec]


@pytest.fixture(scope="session", autouse=True)
def _little_garbage() -> Iterator[None]:
    """Every training collects garbage; with torch and transformers loaded, that is a quarter of a tiny one's time."""
    import trl.trainer.dpo_trainer
    import trl.trainer.sft_trainer  # noqa: F401
    from peft import PeftModel

    gc.collect()
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        # PEFT writes a card beside every adapter, and we remove it.
        patch.setattr(PeftModel, "create_or_update_model_card", lambda *_: None)
        yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("families")
    return {name: save_family(name, folder / name) for name in FAMILIES}


@pytest.fixture
def base(family: str, bases: dict[str, Path]) -> Path:
    return bases[family]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("samples"), pairs(8), pairs(12)[8:])


@pytest.fixture(scope="session")
def preferred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with pairs."""
    rows = pairs(8)
    table = pa.table(
        {
            "prompt": [question for question, _ in rows],
            "chosen": [answer for _, answer in rows],
            "rejected": ["It is what it is."] * len(rows),
        }
    )
    folder = tmp_path_factory.mktemp("preferred")
    pq.write_table(table, folder / "train.parquet")
    return folder


@pytest.fixture(scope="session")
def thumbs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with thumbs alone."""
    rows = pairs(8)
    table = pa.table(
        {
            "prompt": [question for question, _ in rows],
            "completion": [answer for _, answer in rows],
            "label": [number % 2 == 0 for number in range(len(rows))],
        }
    )
    folder = tmp_path_factory.mktemp("thumbs")
    pq.write_table(table, folder / "thumbs.parquet")
    return folder


@pytest.fixture
def order(base: Path, data: Path, tmp_path: Path) -> Order:
    """Orders a short training of the family; each has an output of its own."""
    made: list[TrainingSpec] = []

    def give(preference_folder: Path | None = None, **training: object) -> TrainingSpec:
        spec = spec_for(base, data, tmp_path / f"output-{len(made)}", **{"max_steps": 2} | training)
        made.append(spec.model_copy(update={"preference_folder": preference_folder}))
        return made[-1]

    return give


@pytest.fixture(scope="session")
def adapted(bases: dict[str, Path], data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainingSpec]:
    """Each family, trained with LoRA; with noise on its embeddings, so that there are random numbers on the way."""
    folder = tmp_path_factory.mktemp("adapted")
    specs = {name: spec_for(base, data, folder / name, max_steps=4, neftune_alpha=5.0) for name, base in bases.items()}
    for spec in specs.values():
        train(spec, lambda line: None)
    return specs


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry.embedded(tmp_path_factory.mktemp("registry"))
