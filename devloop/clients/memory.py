"""Keeps the memory of programs that run for hours small."""

import contextlib
import ctypes
import gc
import sys

M_ARENA_MAX = -8  # malloc.h of glibc


def prepare() -> None:
    """Call before threads start: glibc gives new threads arenas of their own, which a program with ever new threads fills one by one."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def release() -> None:
    """Collect garbage, which `main` makes rare, and let the C library return what is free (malloc_trim(3), of glibc alone)."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
