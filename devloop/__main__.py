"""`python -m devloop` and the `devloop` program: the one error boundary."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import signal
import sys
import threading
from typing import NoReturn


def main() -> None:
    """Run the command line; the exit codes are in devloop.errors."""
    # A run ends before garbage is worth looking for: that costs more than all of it weighs.
    gc.set_threshold(100_000)
    # SIGTERM ends a run as Ctrl-C does: in order, with a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Names of files need not be UTF-8: better shown strangely than not at all.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    from devloop.cli import run

    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End with `code`, without taking everything apart first.

    Python itself would end by the signal where Ctrl-C came within an `exec` of a text, as dataclasses have it.
    """
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
