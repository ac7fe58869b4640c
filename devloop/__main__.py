"""`python -m devloop` and the `devloop` program: the one error boundary."""

from __future__ import annotations

import io
import signal
import sys


def main() -> None:
    """Run the command line; exit codes: 0 healthy, 1 not, 2 bad input, 3 a bug, 130 interrupted."""
    # SIGTERM ends a run as Ctrl-C does: in order, with a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Names of files need not be UTF-8: better shown strangely than not at all.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    from devloop.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
