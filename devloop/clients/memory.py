"""Gives memory back, for programs that run for hours."""

import contextlib
import ctypes
import gc
import sys


def release() -> None:
    """Collect garbage, which `main` makes rare, and let the C library return what is free (malloc_trim(3), of glibc alone)."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
