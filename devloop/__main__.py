"""`python -m devloop` and the `devloop` program: the one error boundary."""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import os
import signal
import sys
from typing import NoReturn

INTERRUPTED = 130

# Objects made between two looks for garbage, most of which stay to the end of a run anyway (default: 700).
GARBAGE = 50_000


def main() -> None:
    """Run the command line; exit codes: 0 healthy, 1 not, 2 bad input, 3 a bug, 130 interrupted."""
    # SIGTERM ends a run as Ctrl-C does: in order, with a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Names of files need not be UTF-8: better shown strangely than not at all.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    gc.set_threshold(GARBAGE)
    from devloop.cli import run

    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        _leave(code)
    # What is left goes with the process: nobody need look through it.
    gc.freeze()
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """End with `code`: Python itself would end by the signal where Ctrl-C came within an `exec` of a text, as dataclasses have it."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
