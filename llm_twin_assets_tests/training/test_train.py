import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_training import AUTHOR_NAME, pairs, save_base, spec_for, write_dataset

from llm_twin_assets.training.conversation import load_tokenizer
from llm_twin_assets.training.encoding import encode
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.samples import read_samples
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
from llm_twin_assets.training.train import main, train
from llm_twin_assets.training.verification import load_model
from resources.folder_digest import folder_digest


def silent(line: str) -> None:
    pass


def test_a_training_leaves_model_tokenizer_probes_and_metrics(trained: TrainingSpec) -> None:
    output = TrainingOutput(trained.output)
    metrics = output.metrics()

    assert metrics.steps == 6
    assert metrics.validation_loss is not None
    assert metrics.base_validation_loss is not None
    assert metrics.validation_loss < metrics.base_validation_loss
    names = {file.name for file in output.model.iterdir()}
    assert {"tokenizer.json", "chat_template.jinja", "adapter_model.safetensors"} <= names
    assert output.probes.is_file()


def test_the_loss_history_holds_every_step_and_the_untrained_base(trained: TrainingSpec) -> None:
    metrics = TrainingOutput(trained.output).metrics()

    assert [point.step for point in metrics.train_history] == [1, 2, 3, 4, 5, 6]
    assert [point.step for point in metrics.validation_history] == [0, 2, 4, 6]
    assert metrics.tokens > 0
    assert metrics.samples == 24


def test_a_model_folder_holds_no_pickle_and_no_path_of_this_machine(trained: TrainingSpec) -> None:
    folder = TrainingOutput(trained.output).model

    assert {file.suffix for file in folder.rglob("*")} <= {".safetensors", ".json", ".jinja"}
    for file in folder.glob("*.json"):
        assert str(trained.base_folder.parent) not in file.read_text(encoding="utf-8")
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-test"


def test_an_order_in_a_file_is_trained_to_the_very_same_model(
    trained: TrainingSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = trained.model_copy(update={"output": tmp_path / "output"})

    returned = main([str(spec.write(tmp_path / "spec.json"))])

    said = capsys.readouterr().err
    assert returned == 0, said
    assert "step 6/6" in said
    assert folder_digest(TrainingOutput(spec.output).model) == folder_digest(TrainingOutput(trained.output).model)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output", "spec.json"]


def test_another_seed_gives_another_model(trained: TrainingSpec, llama: Path, dataset: Path, tmp_path: Path) -> None:
    spec = spec_for(llama, dataset, tmp_path / "output", seed=14)

    train(spec, silent)

    assert folder_digest(TrainingOutput(spec.output).model) != folder_digest(TrainingOutput(trained.output).model)


def test_bits_per_byte_count_every_answer_token_and_every_byte(trained: TrainingSpec, dataset: Path) -> None:
    import pyarrow.parquet as pq

    metrics = TrainingOutput(trained.output).metrics()
    tokenizer, _ = load_tokenizer(trained.base_folder, AUTHOR_NAME)
    answers = pq.read_table(dataset / "validation.parquet")["answer"].to_pylist()
    tokens = sum(len(tokenizer(answer)["input_ids"]) + 1 for answer in answers)  # and the one that ends it
    size = sum(len(answer.encode()) for answer in answers)

    assert metrics.validation_loss is not None
    assert metrics.validation_bits_per_byte == pytest.approx(metrics.validation_loss * tokens / size / math.log(2))
    assert [point.step for point in metrics.bits_per_byte_history] == [0, 2, 4, 6]


def test_a_training_that_gains_nothing_any_more_ends_early_with_its_best_weights(
    llama: Path, dataset: Path, tmp_path: Path
) -> None:
    spec = spec_for(llama, dataset, tmp_path / "output", max_steps=30, learning_rate=0.3, patience=2)
    spec = spec.model_copy(update={"plan": spec.plan.model_copy(update={"checkpoints": 30})})

    metrics = train(spec, silent)

    after_training = [point.loss for point in metrics.bits_per_byte_history[1:]]
    assert metrics.steps < 30
    assert metrics.validation_bits_per_byte == min(after_training) < after_training[-1]
    model, tokenizer = (
        load_model(TrainingOutput(spec.output).model, llama),
        load_tokenizer(TrainingOutput(spec.output).model, AUTHOR_NAME)[0],
    )
    assert validation_loss(model, tokenizer, dataset) == pytest.approx(metrics.validation_loss, rel=1e-4)


def validation_loss(model: Any, tokenizer: Any, dataset: Path) -> float:
    """By hand: one sample at a time, the mean over all answer tokens."""
    import torch

    encoded = encode(read_samples(dataset).validation, tokenizer, AUTHOR_NAME, 128)
    total = 0.0
    for sample in encoded.samples:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([sample.input_ids])).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, torch.tensor(sample.labels[1:]), reduction="sum"))
    return total / encoded.learned


def test_one_sample_is_enough(llama: Path, tmp_path: Path) -> None:
    metrics = train(spec_for(llama, write_dataset(tmp_path / "data", pairs(1), []), tmp_path / "output"), silent)

    assert (metrics.samples, metrics.steps) == (1, 6)


def test_a_deterministic_training_trains(llama: Path, dataset: Path, tmp_path: Path) -> None:
    import torch

    try:
        train(spec_for(llama, dataset, tmp_path / "output", max_steps=1, deterministic=True), silent)
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_single_checkpoint_is_made_at_the_end(llama: Path, dataset: Path, tmp_path: Path) -> None:
    spec = spec_for(llama, dataset, tmp_path / "output", max_steps=3)
    spec = spec.model_copy(update={"plan": spec.plan.model_copy(update={"checkpoints": 1})})
    train(spec, lambda line: None)
    assert [point.step for point in TrainingOutput(spec.output).metrics().validation_history] == [0, 3]


def test_training_works_without_validation_samples(llama: Path, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", pairs(4), [])

    metrics = train(spec_for(llama, data, tmp_path / "output", max_steps=1), silent)

    assert metrics.validation_loss is None
    assert metrics.validation_history == ()


def test_samples_that_do_not_fit_are_counted(llama: Path, tmp_path: Path) -> None:
    long_answer, long_prompt = ("Short?", "A ferry leaves. " * 100), ("Count it, then argue. " * 100, "Yes.")
    data = write_dataset(tmp_path / "data", [*pairs(4), long_answer, long_prompt], [])

    metrics = train(spec_for(llama, data, tmp_path / "output", max_steps=1), silent)

    assert (metrics.samples, metrics.samples_cut, metrics.samples_dropped) == (5, 1, 1)


def test_a_base_without_chat_template_is_trained_with_the_neutral_one(dataset: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", "gpt2", chat=False, pad=False)
    said: list[str] = []

    metrics = train(spec_for(base, dataset, tmp_path / "output", max_steps=1), said.append)

    assert len(metrics.notes) == 2
    assert set(metrics.notes) <= set(said)
    assert "### " in (tmp_path / "output" / "model" / "chat_template.jinja").read_text()


def broken(llama: Path, dataset: Path, tmp_path: Path) -> dict[str, tuple[TrainingSpec, ExitCode, str]]:
    good = spec_for(llama, dataset, tmp_path / "output", max_steps=1)
    empty = write_dataset(tmp_path / "empty", [], [])
    too_long = write_dataset(tmp_path / "long", [("Count it, then argue. " * 100, "Yes.")], [])
    junk = tmp_path / "junk"
    junk.mkdir()
    (junk / "train.parquet").write_text("not parquet")
    (tmp_path / "taken").mkdir()
    from safetensors.torch import load_file, save_file

    shot = save_base(tmp_path / "shot")
    (shot / "model.safetensors").write_bytes(b"junk")
    holed = save_base(tmp_path / "holed")
    weights = load_file(holed / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, holed / "model.safetensors", metadata={"format": "pt"})
    changes: dict[str, tuple[dict[str, Any], ExitCode, str]] = {
        "no base": ({"base_folder": tmp_path / "nowhere"}, ExitCode.BASE, "'tiny-test' is not there"),
        "damaged base": ({"base_folder": shot}, ExitCode.BASE, "cannot be loaded"),
        "holed base": ({"base_folder": holed}, ExitCode.BASE, "lacks 1 weights"),
        "no dataset": ({"dataset_folder": tmp_path / "nowhere"}, ExitCode.DATASET, "no such file"),
        "empty dataset": ({"dataset_folder": empty}, ExitCode.DATASET, "no sample to train on"),
        "junk dataset": ({"dataset_folder": junk}, ExitCode.DATASET, "not a samples file"),
        "nothing fits": ({"dataset_folder": too_long}, ExitCode.DATASET, "within 128 tokens"),
        "output taken": ({"output": tmp_path / "taken"}, ExitCode.OUTPUT, "exists already"),
        "diverging": (
            {"plan": good.plan.model_copy(update={"learning_rate": 1e30, "max_steps": 6})},
            ExitCode.DIVERGED,
            "not a finite number",
        ),
    }
    return {name: (good.model_copy(update=update), code, said) for name, (update, code, said) in changes.items()}


@pytest.mark.parametrize(
    "case",
    [
        "no base",
        "damaged base",
        "holed base",
        "no dataset",
        "empty dataset",
        "junk dataset",
        "nothing fits",
        "output taken",
        "diverging",
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(
    case: str, llama: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, code, said = broken(llama, dataset, tmp_path)[case]

    returned = main([str(spec.write(tmp_path / "spec.json"))])

    last = capsys.readouterr().err.splitlines()[-1]
    assert returned == code
    assert last.startswith("error: ")
    assert said in last
    assert TrainingOutput(spec.output).error_file.read_text() == last.removeprefix("error: ")
    assert not TrainingOutput(spec.output).model.exists()


def test_out_of_memory_says_what_to_lower(
    llama: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from trl import SFTTrainer

    def exhausted(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(SFTTrainer, "train", exhausted)  # a real one would take the machine down with it

    with pytest.raises(TrainingError, match=r"out of memory: .* Lower training\.batch_size") as caught:
        train(spec_for(llama, dataset, tmp_path / "output"), silent)

    assert caught.value.code == ExitCode.MEMORY


def test_a_processor_without_memory_is_out_of_memory_too(
    llama: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trl import SFTTrainer

    def exhausted(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: 8 bytes")

    monkeypatch.setattr(SFTTrainer, "train", exhausted)

    with pytest.raises(TrainingError, match="out of memory") as caught:
        train(spec_for(llama, dataset, tmp_path / "output"), silent)

    assert caught.value.code == ExitCode.MEMORY


def test_a_wrong_call_says_how_to_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == ExitCode.SPEC
    assert "usage:" in capsys.readouterr().err


def test_a_training_that_is_killed_leaves_no_model_and_the_next_one_is_whole(
    trained: TrainingSpec, tmp_path: Path
) -> None:
    plan = trained.plan.model_copy(update={"max_steps": 100_000})
    endless = trained.model_copy(update={"output": tmp_path / "output", "plan": plan})
    output = TrainingOutput(endless.output)
    order = endless.write(tmp_path / "spec.json")
    child = subprocess.Popen(
        [sys.executable, "-m", "llm_twin_assets.training.train", str(order)], stderr=subprocess.PIPE, text=True
    )
    try:
        while "step" not in (child.stderr.readline() if child.stderr else ""):
            assert child.poll() is None, "the training ended before it could be killed"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
    assert output.partial.is_dir()
    assert not output.folder.exists()

    train(trained.model_copy(update={"output": endless.output}), silent)

    assert not output.partial.exists()
    assert folder_digest(output.model) == folder_digest(TrainingOutput(trained.output).model)


def test_importing_the_training_code_does_not_import_torch() -> None:
    code = (
        "import sys, llm_twin_assets.training.assets, llm_twin_assets.training.checks, llm_twin_assets.training.train\n"
        "print([m for m in ('torch', 'transformers', 'trl', 'peft', 'mlflow', 'datasets') if m in sys.modules])"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
    assert time.monotonic() - started < 60
