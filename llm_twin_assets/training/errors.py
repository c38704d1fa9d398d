"""What can go wrong in a training process, each with its exit code."""

from enum import IntEnum

from resources.errors import TwinError


class ExitCode(IntEnum):
    """How a training process ended; 1 is left to Python's own unforeseen errors."""

    SPEC = 2
    BASE = 3
    TOKENIZER = 4
    DATASET = 5
    DIVERGED = 6
    MEMORY = 7
    OUTPUT = 8
    METHOD = 9
    PREFERENCES = 10


class TrainingError(TwinError):
    """A training that cannot start or cannot go on."""

    def __init__(self, what: str, *, code: ExitCode, where: str | None = None, mend: str | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.code = code


class TrainingFailedError(TwinError):
    """The training process ended without a model."""


class VerificationError(TwinError):
    """The model in the registry is not the model that was trained."""


class PlanError(TwinError):
    """A training that is not possible on this hardware, or a plan for a model that is not known."""
