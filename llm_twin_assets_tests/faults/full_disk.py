"""A disk that takes not one byte more, for this process alone and without rights that a test should not need."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk() -> Iterator[None]:
    """Every write to a file fails, as where there is no room; sockets and pipes go on.

    The kernel's limit of a file's size (setrlimit(2), RLIMIT_FSIZE); CPython ignores the signal that goes with it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
