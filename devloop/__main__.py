"""`python -m devloop` and the `devloop` program: the one error boundary."""

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
    # A run is too short for garbage collection to pay off.
    gc.set_threshold(100_000)
    # SIGTERM ends a run like Ctrl-C: in order, with a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # File names need not be UTF-8.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    from devloop.cli import run

    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """Exit without the interpreter's own shutdown, which takes time and, after Ctrl-C inside an `exec`, loses the exit code."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
