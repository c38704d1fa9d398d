import pytest
from shapes import shape

from llm_twin_assets.training.errors import PlanError
from llm_twin_assets.training.memory import GB, Workload
from llm_twin_assets.training.parallelism import Cluster, fits, place

LORA, QLORA, FULL = (Workload(method, context=1024) for method in ("lora", "qlora", "full"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "devices", "memory"),
    [("8x80GB", 8, 80e9), ("24GB", 1, 24e9), (" 2 x 24 gb ", 2, 24e9), ("4x79.6GiB", 4, 79.6 * 2**30)],
)
def test_gpus_are_named_by_number_and_memory(text: str, devices: int, memory: float) -> None:
    cluster = Cluster.parse(text, nodes=2)

    assert (cluster.devices, cluster.memory, cluster.processes) == (devices, memory, 2 * devices)


@pytest.mark.parametrize("text", ["", "8", "x80GB", "0x80GB", "8x0GB", "8x80", "-1x80GB", "eight"])
def test_what_names_no_gpus_is_an_error(text: str) -> None:
    with pytest.raises(PlanError, match="names no GPUs"):
        Cluster.parse(text)


@pytest.mark.parametrize(
    ("size", "work", "gpus", "strategy"),
    [
        ("7B", LORA, "24GB", "single"),
        ("70B", QLORA, "80GB", "single"),
        ("7B", LORA, "8x80GB", "ddp"),
        ("70B", LORA, "8x80GB", "fsdp2"),
        ("7B", FULL, "8x80GB", "fsdp2"),
    ],
)
def test_the_simplest_strategy_that_fits_is_taken(size: str, work: Workload, gpus: str, strategy: str) -> None:
    placement = place(shape(size), work, Cluster.parse(gpus))

    assert placement.strategy == strategy
    assert placement.memory.total <= placement.cluster.memory


def test_the_memory_of_the_machine_helps_out_where_it_is_known() -> None:
    alone, helped = (Cluster.parse("2x80GB", host=host) for host in (None, 2000 * GB))

    assert fits(shape("30B"), FULL, alone) is None
    found = fits(shape("30B"), FULL, helped)
    assert found is not None
    assert found.strategy == "zero3_offload"
    assert 2 * found.memory.host <= 2000 * GB


def test_several_machines_share_what_one_cannot_hold() -> None:
    assert fits(shape("70B"), FULL, Cluster.parse("8x80GB")) is None
    assert fits(shape("70B"), FULL, Cluster.parse("8x80GB", nodes=4)) is not None


def test_a_refusal_says_what_is_needed_and_what_would_fit() -> None:
    with pytest.raises(PlanError) as caught:
        place(shape("70B"), LORA, Cluster.parse("80GB"))

    said = str(caught.value)
    assert "does not fit into 1×80.0 GB: it needs about 14" in said
    assert "qlora (4" in said
    assert "lora on 4×80.0 GB with FSDP2" in said


def test_a_refusal_names_smaller_steps_before_another_method() -> None:
    with pytest.raises(PlanError, match="What would fit: gradient checkpointing"):
        place(shape("7B"), Workload("lora", context=4096, checkpointing=False), Cluster.parse("40GB"))


def test_where_nothing_helps_a_smaller_base_is_all_there_is() -> None:
    with pytest.raises(PlanError, match="take a smaller base"):
        place(shape("70B"), Workload("lora", context=1024), Cluster.parse("1GB"))


def test_a_strategy_can_be_demanded() -> None:
    assert place(shape("7B"), LORA, Cluster.parse("8x80GB"), "zero3").strategy == "zero3"


def test_sharding_is_for_gpus() -> None:
    work = Workload("lora", context=256, precision="float32", on_cpu=True)

    with pytest.raises(PlanError, match="FSDP2 is for GPUs"):
        place(shape("0.5B"), work, Cluster(1, 2, 64 * GB, on_cpu=True), "fsdp2")


def test_processes_on_a_processor_share_its_memory() -> None:
    work = Workload("full", context=256, precision="float32", on_cpu=True)

    assert place(shape("0.5B"), work, Cluster(1, 2, 64 * GB, on_cpu=True)).processes == 2
    with pytest.raises(PlanError, match="of memory, or a GPU"):
        place(shape("0.5B"), work, Cluster(1, 4, 16 * GB, on_cpu=True))
