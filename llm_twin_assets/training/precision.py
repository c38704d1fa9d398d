"""The number format of the arithmetic: what `twin.yaml` names if this machine has it, else the hardware's best."""

from dataclasses import replace

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.hardware import Hardware
from resources.training_settings import Precision


def with_precision(hardware: Hardware, named: Precision | None) -> Hardware:
    """The hardware, computing as named; raises `TrainingError` where that would fail or be emulated."""
    if named is None or named == hardware.precision or named == "float32":
        return replace(hardware, precision=named or hardware.precision)
    if hardware.device == "cuda" and named == "float16":  # every card that has bfloat16 has float16
        return replace(hardware, precision=named)
    raise TrainingError(
        f"this machine ({hardware.device}) does not compute in {named}",
        where="twin.yaml: training.precision",
        mend=f"Leave it unset (here: {hardware.precision}), or name float32.",
        code=ExitCode.METHOD,
    )
