"""The training process: `python -m llm_twin_assets.training.train SPEC.json`, or the same under `accelerate launch`.

It ends with a whole output folder and exit code 0, or with no output folder, one line of explanation (on stderr and in
`<output>.error`) and an exit code of `ExitCode`. Torch is loaded only once the order is known to make sense.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from llm_twin_assets.training import lifeline
from llm_twin_assets.training.checkpoints import Checkpoints
from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.methods import require_quantizer
from llm_twin_assets.training.progress import Report, reporting
from llm_twin_assets.training.samples import read_samples
from llm_twin_assets.training.spec import TrainingMetrics, TrainingOutput, TrainingSpec


def train(spec: TrainingSpec, report: Report) -> TrainingMetrics:
    """Train as ordered; the output folder appears in one step, once everything in it is written."""
    output = TrainingOutput(spec.output)
    output.error_file.unlink(missing_ok=True)
    if output.folder.exists():
        raise TrainingError(
            "the output folder exists already", where=str(output.folder), mend="Name another.", code=ExitCode.OUTPUT
        )
    if not (spec.base_folder / "config.json").is_file():
        raise TrainingError(
            f"the base '{spec.base}' is not there",
            where=str(spec.base_folder),
            mend="Fetch it again, or name another in twin.yaml: training.base.",
            code=ExitCode.BASE,
        )
    samples = read_samples(spec.dataset_folder)
    if spec.plan.method == "qlora":
        require_quantizer()

    from llm_twin_assets.training.fitting import fit

    partial = TrainingOutput(output.partial)
    checkpoints = Checkpoints(output.checkpoints)
    if _is_main_process():
        shutil.rmtree(partial.folder, ignore_errors=True)  # what a killed training left
        partial.model.mkdir(parents=True)
        checkpoints.prepare(spec.order())
    metrics = fit(spec, samples, partial, checkpoints, report)
    if _is_main_process():
        partial.folder.rename(output.folder)
        checkpoints.discard()
    return metrics


def main(arguments: Sequence[str]) -> int:
    """Run the order in the spec file that the one argument names; returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m llm_twin_assets.training.train SPEC.json\n")
        return ExitCode.SPEC
    with reporting(quiet=not _is_main_process()) as report:
        output: TrainingOutput | None = None
        try:
            spec = TrainingSpec.read(Path(arguments[0]))
            output = TrainingOutput(spec.output)
            train(spec, report)
        except TrainingError as error:
            _leave_word(output, str(error))
            sys.stderr.write(f"error: {error}\n")
            return error.code
        except KeyboardInterrupt:  # Dagster forwards a cancelled run as SIGINT
            sys.stderr.write("error: the training was interrupted\n")
            return 130
    return 0


def _leave_word(output: TrainingOutput | None, line: str) -> None:
    if output is not None and output.folder.parent.is_dir():
        output.error_file.write_text(line, encoding="utf-8")


def _is_main_process() -> bool:
    # accelerate launch and torchrun both number the processes in RANK.
    return os.environ.get("RANK", "0") == "0"


if __name__ == "__main__":
    lifeline.hold(os.environ)
    raise SystemExit(main(sys.argv[1:]))
