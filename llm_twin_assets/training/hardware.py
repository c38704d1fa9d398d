"""What this machine trains on."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hardware:
    """Device, number format of the arithmetic and number of processes of this training."""

    device: str
    precision: str
    processes: int

    @property
    def frozen_precision(self) -> str:
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


def _cpu_computes_in_bfloat16() -> bool:
    # Emulated, it is slower than float32. There is no public question for this in torch 2.13.
    import torch

    questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, question, bool)() for question in questions)
