"""`twin plan`: what a training would need, where it fits, and the files that launch it."""

from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.training.accelerate_config import write_config
from llm_twin_assets.training.errors import PlanError
from llm_twin_assets.training.hardware import this_machine
from llm_twin_assets.training.memory import GB, Attention, Optimizer, Workload
from llm_twin_assets.training.model_shapes import ModelShape, shape_of
from llm_twin_assets.training.parallelism import Cluster, Placement, fits, gigabytes, place
from resources.training_settings import TrainingMethod

_SIZES = ("7B", "14B", "30B", "70B")
_METHODS: tuple[TrainingMethod, ...] = ("qlora", "lora", "full")
_PARTS = {
    "weights": "the base's weights",
    "adapter": "the adapter's weights",  # and their frozen copy for preferences
    "gradients": "gradients",
    "optimizer": "the optimizer's moments",
    "activations": "activations (layers)",
    "logits": "activations (logits)",
    "buffers": "buffers that come and go",
    "overhead": "CUDA, and gaps between blocks",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A training that fits, and the file that starts it if one was written."""

    shape: ModelShape
    work: Workload
    placement: Placement
    config: Path | None

    def as_json(self) -> dict[str, object]:
        """For programs; bytes are of one device."""
        memory = self.placement.memory
        return {
            "base": self.shape.name,
            "parameters": self.shape.parameters,
            "method": self.work.method,
            "context": self.work.context,
            "batch": self.work.batch,
            "strategy": self.placement.strategy,
            "processes": self.placement.processes,
            "nodes": self.placement.cluster.nodes,
            "bytes": {name: round(size) for name, size in memory.parts().items()},
            "total_bytes": round(memory.total),
            "device_bytes": round(self.placement.cluster.memory),
            "host_bytes": round(memory.host),
            "config": str(self.config) if self.config else None,
        }


def cluster_of(gpus: str | None, nodes: int) -> Cluster:
    """The GPUs that were named, or this machine's own; `8x80GB,2` is two such machines."""
    if gpus is None:
        return this_machine(nodes=nodes)
    devices, _, machines = gpus.partition(",")
    if machines and not machines.strip().isdigit():
        raise PlanError(
            f"'{gpus}' names no number of machines after the comma", mend="Write 8x80GB,2 for two machines."
        )
    return Cluster.parse(devices, int(machines) if machines else nodes)


def workload(
    method: TrainingMethod,
    context: int,
    batch: int,
    rank: int,
    optimizer: Optimizer,
    attention: Attention,
    cluster: Cluster,
    *,
    checkpointing: bool,
    preferences: bool = False,
) -> Workload:
    """What is to be trained: in bfloat16 on GPUs, in float32 on a processor, which seldom has the other."""
    return Workload(
        method=method,
        context=context,
        batch=max(2, batch) if preferences else batch,  # a pair is two sequences
        rank=rank,
        checkpointing=checkpointing,
        attention=attention,
        optimizer=optimizer,
        precision="float32" if cluster.on_cpu else "bfloat16",
        on_cpu=cluster.on_cpu,
        preferences=preferences,
    )


def plan(base: str, work: Workload, cluster: Cluster, folder: Path | None) -> Planned:
    """Place one base; raises `PlanError`, which says what would fit, where it does not."""
    shape = shape_of(base)
    if shape.context is not None and work.context > shape.context:
        raise PlanError(f"reads {shape.context} tokens at most, not {work.context}", where=shape.name)
    placement = place(shape, work, cluster)
    config = write_config(placement, shape, work.precision, folder) if folder else None
    return Planned(shape, work, placement, config)


def sizes(work: Workload, cluster: Cluster) -> dict[str, dict[str, Placement | None]]:
    """What fits of the usual sizes and methods: placements by size, then by method."""
    shapes = {size: shape_of(size) for size in _SIZES}
    works = {method: replace(work, method=method) for method in _METHODS}
    return {
        size: {method: fits(shape, changed, cluster) for method, changed in works.items()}
        for size, shape in shapes.items()
    }


def sizes_as_json(found: dict[str, dict[str, Placement | None]]) -> list[dict[str, object]]:
    """One entry for each size and method; `strategy` is null where nothing fits."""
    return [
        {
            "size": size,
            "method": method,
            "strategy": placement.strategy if placement else None,
            "total_bytes": round(placement.memory.total) if placement else None,
        }
        for size, methods in found.items()
        for method, placement in methods.items()
    ]


def show(planned: Planned) -> None:
    """The verdict first, then what takes the memory, largest first."""
    placement, shape, work = planned.placement, planned.shape, planned.work
    memory = placement.memory
    each = "" if placement.processes == 1 else f" on each of {placement.processes} processes"
    OUT.print(f"{shape.name}: {shape.parameters / 1e9:.3g}B parameters, {work.method}, {_tokens(work)}")
    OUT.print(f"[green]fits[/]: {gigabytes(memory.total)}{each} of {placement.cluster}, with {placement.name}\n")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, size in sorted(memory.parts().items(), key=lambda part: -part[1]):
        if size >= GB / 100:
            table.add_row(_PARTS[name], f"{size / GB:.2f} GB")
    OUT.print(table)
    if memory.host:
        OUT.print(f"and {gigabytes(memory.host)} of the machine's own memory for each process")
    if planned.config:
        OUT.print(f"\nwritten: {planned.config}")
        OUT.print(f"start with: twin.yaml: training.parallelism.config: {planned.config}")


def show_sizes(found: dict[str, dict[str, Placement | None]], work: Workload, cluster: Cluster) -> None:
    """A row for each size, a column for each method: memory of a device and how it is spread, or that it fits not."""
    OUT.print(f"On {cluster}, {_tokens(work)}:\n")
    table = Table(box=None, pad_edge=False)
    table.add_column("size")
    for method in _METHODS:
        table.add_column(method)
    for size, methods in found.items():
        table.add_row(size, *(_cell(methods[method]) for method in _METHODS))
    OUT.print(table)
    OUT.print("\nName a base (--base) to see what takes the memory, and --write DIR for the files that launch it.")


def _cell(placement: Placement | None) -> str:
    if placement is None:
        return "[red]does not fit[/]"
    return f"{gigabytes(placement.memory.total)}, {placement.name}"


def _tokens(work: Workload) -> str:
    return f"{work.batch}×{work.context:,} tokens at once"
