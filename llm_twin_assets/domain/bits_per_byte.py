"""The measure that training stops by and evaluation judges by."""

import math


def bits_per_byte(nats: float, size: int) -> float:
    """What a text of `size` bytes costs a model, in bits a byte: comparable across tokenizers, lower is better."""
    return nats / math.log(2) / size
