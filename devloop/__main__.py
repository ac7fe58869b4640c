"""`python -m devloop` and the `devloop` program: the one error boundary."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command line; exit codes: 0 healthy, 1 not, 2 bad input, 3 a bug, 130 interrupted."""
    # SIGTERM ends a run as Ctrl-C does: in order, with a report.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from devloop.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
