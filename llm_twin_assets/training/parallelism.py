"""How a training is spread over devices: which strategy fits, and if none does, what would."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from llm_twin_assets.training.errors import PlanError
from llm_twin_assets.training.memory import GB, Memory, Strategy, Workload, memory_needed
from llm_twin_assets.training.model_shapes import ModelShape
from resources.training_settings import TrainingMethod

_CLUSTER = re.compile(r"(?:(?P<count>\d+)\s*x\s*)?(?P<size>\d+(?:\.\d+)?)\s*(?P<unit>GB|GiB)", re.IGNORECASE)
_STRATEGY_NAMES: dict[Strategy, str] = {
    "single": "one process",
    "ddp": "DDP",
    "fsdp2": "FSDP2",
    "zero3": "DeepSpeed ZeRO-3",
    "zero3_offload": "DeepSpeed ZeRO-3 with offload",
}
# How many devices a suggestion may name.
_DEVICE_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Devices of one kind: so many in each of so many machines, each of so many bytes; a CPU is one device.

    `host` is each machine's own memory, where it is known.
    """

    nodes: int
    devices: int
    memory: float
    on_cpu: bool = False
    host: float | None = None

    @classmethod
    def parse(cls, text: str, nodes: int = 1, host: float | None = None) -> "Cluster":
        """`8x80GB` or `24GB`, on each of the nodes; raises `PlanError`."""
        found = _CLUSTER.fullmatch(text.strip())
        if found is None or not int(found["count"] or 1) or not float(found["size"]) or nodes < 1:
            raise PlanError(
                f"'{text}' names no GPUs", mend="Write number and memory of one machine's: 8x80GB, or 24GB."
            )
        unit = 2**30 if found["unit"].casefold() == "gib" else GB
        return cls(nodes, int(found["count"] or 1), float(found["size"]) * unit, host=host)

    @property
    def processes(self) -> int:
        """One for each device."""
        return self.nodes * self.devices

    def __str__(self) -> str:
        if self.on_cpu:
            return f"this machine's {gigabytes(self.memory)} (CPU)"
        machines = f"{self.nodes} machines with " if self.nodes > 1 else ""
        return f"{machines}{self.devices}×{gigabytes(self.memory)}"


@dataclass(frozen=True, slots=True)
class Placement:
    """A training that fits: spread how, over how many processes, and what each device holds at the peak."""

    strategy: Strategy
    cluster: Cluster
    processes: int
    memory: Memory

    @property
    def name(self) -> str:
        """What a person calls the strategy."""
        return _STRATEGY_NAMES[self.strategy]


def place(shape: ModelShape, work: Workload, cluster: Cluster, strategy: Strategy | None = None) -> Placement:
    """The simplest strategy that fits, or the one that was asked for; raises `PlanError` saying what would fit.

    Simplest first is fastest first: a copy on every device exchanges gradients alone, FSDP2 every layer's weights, and
    offloading sends them through the machine's own memory.
    """
    if cluster.on_cpu and strategy not in (None, "single", "ddp"):
        # accelerate would take it for DDP without a word.
        raise PlanError(f"{_STRATEGY_NAMES[strategy]} is for GPUs", mend="Leave training.parallelism.strategy unset.")
    tried = list(_placements(shape, work, cluster, (strategy,) if strategy else _strategies(cluster)))
    if fitting := next((placement for placement in tried if _fits(placement)), None):
        return fitting
    raise PlanError(_refusal(shape, work, cluster, tried), mend=_remedies(shape, work, cluster))


def fits(shape: ModelShape, work: Workload, cluster: Cluster) -> Placement | None:
    """The placement, or None where nothing fits."""
    return next((each for each in _placements(shape, work, cluster, _strategies(cluster)) if _fits(each)), None)


def gigabytes(size: float) -> str:
    """`15.6 GB`, `147 GB`: as precise as an estimate is."""
    return f"{size / GB:.1f} GB" if size < 100 * GB else f"{size / GB:,.0f} GB"


def _strategies(cluster: Cluster) -> tuple[Strategy, ...]:
    if cluster.on_cpu:
        return ("single",) if cluster.processes == 1 else ("ddp",)
    if cluster.processes == 1:
        return ("single", "zero3_offload") if cluster.host else ("single",)
    return ("ddp", "fsdp2", "zero3_offload") if cluster.host else ("ddp", "fsdp2")


def _placements(
    shape: ModelShape, work: Workload, cluster: Cluster, strategies: tuple[Strategy, ...]
) -> Iterator[Placement]:
    for strategy in strategies:
        processes = 1 if strategy == "single" else cluster.processes
        yield Placement(strategy, cluster, processes, memory_needed(shape, work, strategy, processes))


def _fits(placement: Placement) -> bool:
    cluster, memory = placement.cluster, placement.memory
    in_host = cluster.host is None or memory.host * cluster.devices <= cluster.host
    # Processes on one CPU share what it has.
    share = cluster.memory / placement.processes if cluster.on_cpu else cluster.memory
    return memory.total <= share and in_host


def _refusal(shape: ModelShape, work: Workload, cluster: Cluster, tried: list[Placement]) -> str:
    least = min(tried, key=lambda placement: placement.memory.total)
    each = "" if least.processes == 1 else f" on each of {least.processes} devices ({least.name})"
    return (
        f"{shape.name} ({shape.parameters / 1e9:.3g}B) with {work.method} at {work.batch}×{work.context} tokens "
        f"does not fit into {cluster}: it needs about {gigabytes(least.memory.total)}{each}"
    )


def _remedies(shape: ModelShape, work: Workload, cluster: Cluster) -> str:
    found = [remedy for remedy in (*_smaller_work(shape, work, cluster), _more_devices(shape, work, cluster)) if remedy]
    return f"What would fit: {'; '.join(found)}." if found else "Nothing here would fit: take a smaller base."


def _smaller_work(shape: ModelShape, work: Workload, cluster: Cluster) -> Iterator[str]:
    """What a person could give up, the least loss first."""
    for changed, said in _changes(work, on_cpu=cluster.on_cpu):
        if placement := fits(shape, changed, cluster):
            where = "" if placement.processes == 1 else f" with {placement.name}"
            yield f"{said}{where} ({gigabytes(placement.memory.total)})"
            return


def _changes(work: Workload, *, on_cpu: bool) -> Iterator[tuple[Workload, str]]:
    least = replace(work, checkpointing=True, batch=1)
    if not work.checkpointing:
        yield replace(work, checkpointing=True), "gradient checkpointing"
    if work.batch > 1:
        yield least, "one sample at a time and gradient checkpointing"
    methods: tuple[TrainingMethod, ...] = ("lora", "qlora")
    for method in methods:
        if work.method not in (method, "qlora") and not (on_cpu and method == "qlora"):
            yield replace(least, method=method), method
    for context in (4096, 2048, 1024, 512):
        if context < work.context:
            smallest = replace(least, context=context, method=work.method if on_cpu else "qlora")
            yield smallest, f"{smallest.method} at {context} tokens"


def _more_devices(shape: ModelShape, work: Workload, cluster: Cluster) -> str | None:
    if cluster.on_cpu:
        needed = memory_needed(shape, work).total
        return f"a machine with {gigabytes(needed)} of memory, or a GPU"
    methods: tuple[TrainingMethod, ...] = (work.method, "lora", "qlora")
    for method in dict.fromkeys(methods):
        changed = work if method == work.method else replace(work, method=method, checkpointing=True, batch=1)
        for more in _larger(cluster):
            if placement := fits(shape, changed, more):
                return f"{method} on {more} with {placement.name} ({gigabytes(placement.memory.total)} each)"
    return None


def _larger(cluster: Cluster) -> Iterator[Cluster]:
    for count in _DEVICE_COUNTS:
        if count > cluster.processes:
            yield replace(cluster, nodes=max(1, count // 8), devices=min(8, count))
