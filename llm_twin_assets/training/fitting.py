"""The training itself: on samples, then on preferences if there are any, in full or through an adapter, any family."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_twin_assets.inference.peft_import import import_with_quantizer, import_without_quantizer
from llm_twin_assets.training import probes
from llm_twin_assets.training.checkpoints import Checkpoints, is_whole, mark_whole
from llm_twin_assets.training.conversation import load_tokenizer
from llm_twin_assets.training.distributed import is_sharded
from llm_twin_assets.training.energy import EnergyMeter, hardware_name
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.methods import frozen_precision
from llm_twin_assets.training.model_folder import tidy
from llm_twin_assets.training.precision import with_precision
from llm_twin_assets.training.preferences import read_preferences
from llm_twin_assets.training.progress import Report
from llm_twin_assets.training.samples import Samples
from llm_twin_assets.training.spec import TrainingMetrics, TrainingOutput, TrainingSpec
from resources.importing import without_collection

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Trainer


_METRICS = "metrics.json"


def fit(
    spec: TrainingSpec, samples: Samples, output: TrainingOutput, checkpoints: Checkpoints, report: Report
) -> TrainingMetrics:
    """Train, and write model, probes and metrics; raises `TrainingError` for what a person can mend."""
    with without_collection():
        import torch

        # Before TRL, which imports peft.
        import_with_quantizer() if spec.plan.method == "qlora" else import_without_quantizer()
        import llm_twin_assets.training.sample_fitting  # noqa: F401 - with TRL

    try:
        return _fit(spec, samples, output, checkpoints, report)
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_lack_of_memory(error):
            raise
        raise TrainingError(
            f"out of memory: {(str(error) or type(error).__name__).splitlines()[0]}",
            mend="Lower training.batch_size or training.max_length, or take method qlora: `twin plan` says what fits.",
            code=ExitCode.MEMORY,
        ) from error


def _fit(
    spec: TrainingSpec, samples: Samples, output: TrainingOutput, checkpoints: Checkpoints, report: Report
) -> TrainingMetrics:
    from llm_twin_assets.training.sample_fitting import SampleStage

    _quieten()
    hardware = with_precision(Hardware.here(), spec.plan.precision)
    meter = EnergyMeter()
    tokenizer, notes = load_tokenizer(spec.base_folder, spec.author_name)
    for note in notes:
        report(note)
    preferences = read_preferences(spec)
    finished = checkpoints.stage("finished-samples")
    if preferences and is_whole(finished):
        report("the training on samples was finished before: going on with preferences")
        metrics = TrainingMetrics.model_validate_json((finished / _METRICS).read_text(encoding="utf-8"))
    else:
        stage = SampleStage(spec, samples, tokenizer, notes, hardware, checkpoints, report)
        trainer, metrics = stage.run()
        if preferences is None:
            return _write(spec, trainer, tokenizer, output, _measured(metrics, meter), hardware)
        _keep(trainer, metrics, finished)
        del trainer, stage
    from llm_twin_assets.training.preference_fitting import fit_preferences

    trainer, preference = fit_preferences(spec, preferences, finished, tokenizer, checkpoints, hardware, report)
    metrics = _measured(metrics.model_copy(update={"preference": preference}), meter)
    return _write(spec, trainer, tokenizer, output, metrics, hardware)


def _measured(metrics: TrainingMetrics, meter: EnergyMeter) -> TrainingMetrics:
    return metrics.model_copy(update={"hardware": hardware_name(), "energy_joules": meter.joules()})


def _keep(trainer: "Trainer", metrics: TrainingMetrics, folder: Path) -> None:
    trainer.save_model(str(folder))
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        (folder / _METRICS).write_text(metrics.model_dump_json(), encoding="utf-8")
        mark_whole(folder)
    trainer.accelerator.wait_for_everyone()


def _write(
    spec: TrainingSpec,
    trainer: "Trainer",
    tokenizer: "PreTrainedTokenizerBase",
    output: TrainingOutput,
    metrics: TrainingMetrics,
    hardware: Hardware,
) -> TrainingMetrics:
    trainer.save_model(str(output.model))  # every process takes part: shards are gathered
    trainer.accelerator.wait_for_everyone()
    taken = _probed(spec, trainer, tokenizer, hardware)
    if trainer.is_world_process_zero():
        tokenizer.save_pretrained(output.model)
        tidy(output.model, base=spec.base, revision=spec.base_revision)
        taken.save(output.probes)
        output.write_metrics(metrics)
    return metrics


def _probed(
    spec: TrainingSpec, trainer: "Trainer", tokenizer: "PreTrainedTokenizerBase", hardware: Hardware
) -> probes.Probes:
    """What the trained model answers: asked by every process, as a sharded one is computed by all together."""
    model: Any = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
    # Without the trainer's autocast, so in the precision of the weights; FSDP gathers them in that of the arithmetic.
    precision = hardware.precision if is_sharded(trainer) else frozen_precision(spec.plan, hardware)
    return probes.take(model, tokenizer, spec.author_name, precision, quantized=spec.plan.method == "qlora")


def _is_lack_of_memory(error: BaseException) -> bool:
    import torch

    # On a CPU torch has no class for it: its allocator's message is all there is.
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _quieten() -> None:
    import warnings

    import datasets
    from transformers.utils import logging

    warnings.filterwarnings("ignore", category=FutureWarning)  # trl and transformers speak to each other, not to us
    datasets.disable_progress_bars()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
