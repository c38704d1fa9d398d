"""What this machine trains on."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.training.parallelism import Cluster
from resources.training_settings import Precision


@dataclass(frozen=True, slots=True)
class Hardware:
    """Device, number format of the arithmetic and number of processes of this training."""

    device: str
    precision: Precision
    processes: int

    @property
    def frozen_precision(self) -> Precision:
        """Number format of weights that are not trained: those that are stay in float32, to add small steps to."""
        return self.precision if self.device == "cuda" else "float32"

    @classmethod
    def here(cls) -> "Hardware":
        """Look: bfloat16 where card or processor computes in it, float16 on older cards, else float32."""
        import torch

        processes = int(os.environ.get("WORLD_SIZE", "1"))
        if torch.cuda.is_available():
            return cls("cuda", "bfloat16" if torch.cuda.is_bf16_supported() else "float16", processes)
        if torch.backends.mps.is_available():
            return cls("mps", "float32", processes)
        return cls("cpu", "bfloat16" if _cpu_computes_in_bfloat16() else "float32", processes)


def this_machine(processes: int | None = None, nodes: int = 1) -> Cluster:
    """The GPUs that torch sees here, or the processor with its memory; `processes` takes no more of them than that."""
    import torch

    host = machine_memory()
    if torch.cuda.is_available():
        sizes = [torch.cuda.get_device_properties(index).total_memory for index in range(torch.cuda.device_count())]
        return Cluster(nodes, min(processes or len(sizes), len(sizes)), min(sizes), host=host)
    return Cluster(nodes, processes or 1, host, on_cpu=True)


def machine_memory(root: Path = Path("/")) -> int:
    """Bytes of memory of this machine, or of the container we are in if that has less."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([installed, *_limits(root)])


def _limits(root: Path) -> Iterator[int]:
    """Every limit of a control group that this process is in: version 2, its parents' too, and version 1."""
    mounted = root / "sys/fs/cgroup"
    own = _read(root / "proc/self/cgroup").partition("0::")[2].partition("\n")[0].strip("/")
    groups = [mounted / own, *(mounted / own).parents] if own else [mounted]
    files = [group / "memory.max" for group in groups if group.is_relative_to(mounted)]
    for file in (*files, mounted / "memory/memory.limit_in_bytes"):
        if (limit := _read(file).strip()).isdigit():
            yield int(limit)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:  # another system, or another version of control groups
        return ""


def _cpu_computes_in_bfloat16() -> bool:
    # Emulated, it is slower than float32. There is no public question for this in torch 2.13.
    import torch

    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, question, bool)() for question in questions)
