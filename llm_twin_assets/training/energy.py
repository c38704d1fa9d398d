"""What a training runs on, and the electricity that its GPUs take for it, where their driver counts."""

import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path


def hardware_name() -> str:
    """`4 x NVIDIA H100 80GB HBM3`, or the processor: `AMD EPYC 9654, 16 cores`."""
    import torch

    if names := [torch.cuda.get_device_name(index) for index in range(_local_gpus())]:
        return f"{len(names)} x {names[0]}"
    return f"{processor()}, {os.cpu_count()} cores"


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's own name, or its architecture where the system does not tell."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


class EnergyMeter:
    """Joules since it was made, of all GPUs that this machine's processes train on; None if they are not counted."""

    def __init__(self, read: Callable[[], float | None] | None = None) -> None:
        self._read = read or _gpu_joules
        self._start = self._read()

    def joules(self) -> float | None:
        """So many until now."""
        now = self._read()
        return None if now is None or self._start is None else round(now - self._start, 1)


def _gpu_joules() -> float | None:
    """The counters of NVML (nvmlDeviceGetTotalEnergyConsumption: millijoules since the driver was loaded)."""
    uuids = _uuids()
    if not uuids:
        return None
    try:
        import pynvml  # type: ignore[import-untyped]
    except ImportError:  # package nvidia-ml-py
        return None
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in uuids]
        return float(sum(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in handles)) / 1000
    except pynvml.NVMLError:  # cards before Volta do not count, nor do parts of a card (MIG)
        return None


def _uuids() -> Sequence[str]:
    import torch

    # By UUID, as torch counts only the cards that CUDA_VISIBLE_DEVICES lets it see and NVML counts all.
    return [f"GPU-{torch.cuda.get_device_properties(index).uuid}" for index in range(_local_gpus())]


def _local_gpus() -> int:
    import torch

    if not torch.cuda.is_available():
        return 0
    return min(torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
