import pytest

from llm_twin_assets.training.errors import ExitCode, TrainingError
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.precision import with_precision
from resources.training_settings import Precision


@pytest.mark.parametrize(
    ("here", "named", "computes_in"),
    [
        (Hardware("cpu", "bfloat16", 1), None, "bfloat16"),
        (Hardware("cpu", "bfloat16", 1), "float32", "float32"),
        (Hardware("cuda", "bfloat16", 1), "float16", "float16"),
        (Hardware("mps", "float32", 1), "float32", "float32"),
    ],
)
def test_the_named_precision_is_taken_else_the_hardwares_own(
    here: Hardware, named: Precision | None, computes_in: str
) -> None:
    assert with_precision(here, named).precision == computes_in


@pytest.mark.parametrize(
    ("here", "named"),
    [
        (Hardware("cpu", "float32", 1), "bfloat16"),
        (Hardware("cpu", "bfloat16", 1), "float16"),
        (Hardware("cuda", "float16", 1), "bfloat16"),
    ],
)
def test_what_the_hardware_does_not_compute_in_is_refused(here: Hardware, named: Precision) -> None:
    with pytest.raises(TrainingError, match=f"does not compute in {named}") as caught:
        with_precision(here, named)

    assert caught.value.code == ExitCode.METHOD
