"""How much memory of its GPUs a process takes, as a metric."""

import sys

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric


def gpu_memory(name: str) -> Metric:
    """Bytes by device and kind: `total` and `free` of the device, `allocated` by this process; none without a GPU."""
    memory = GaugeMetricFamily(name, "Memory of a GPU that this process uses.", labels=("device", "kind"))
    # Only where this process has torch already: one whose model is elsewhere must not import it to say so.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        for device in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(device)
            memory.add_metric((str(device), "total"), total)
            memory.add_metric((str(device), "free"), free)
            memory.add_metric((str(device), "allocated"), torch.cuda.memory_allocated(device))
    return memory
