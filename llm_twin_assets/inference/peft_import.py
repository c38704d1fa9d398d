"""peft without the quantizer that it draws in wherever that is installed.

bitsandbytes brings torch's compiler with it: 2.4 of the 10 s of processor time that it takes to import peft (peft 0.21,
torch 2.13), in every process that trains, judges or serves an adapter. Only `method: qlora` has a use for it.
"""

import sys
from typing import cast


def import_without_quantizer() -> None:
    """Import peft as if bitsandbytes were not installed; of no effect once either has been imported."""
    if "peft" in sys.modules or "bitsandbytes" in sys.modules:
        return
    from transformers.utils import is_bitsandbytes_available

    is_bitsandbytes_available()  # transformers asks once and remembers: here, the truth
    # What the import system takes for "there is no such module" (Python's reference, "The module cache").
    modules = cast("dict[str, object]", sys.modules)
    modules["bitsandbytes"] = None
    try:
        from peft.import_utils import is_bnb_4bit_available, is_bnb_available

        is_bnb_available()
        is_bnb_4bit_available()
    finally:
        del modules["bitsandbytes"]


def import_with_quantizer() -> None:
    """Import peft so that it adapts quantized layers, whatever it was told before in this process."""
    from peft.import_utils import is_bnb_4bit_available, is_bnb_available

    for remembered in (is_bnb_available, is_bnb_4bit_available):
        remembered.cache_clear()
