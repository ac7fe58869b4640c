"""Arguments -> workload. All workloads but `report` answer on a port and end with status 0 when they are asked to."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable

from .log import LEVELS, Log

_PART_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Seconds of 500ms, 10s, 5m, 1h; raises ValueError, which argparse shows."""
    for unit, seconds in _PART_SECONDS.items():
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit():
            return float(number) * seconds
    raise ValueError(text)


def label(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise ValueError(text)
    return name, value


def parse(arguments: list[str]) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--log-level", choices=LEVELS, default="info")
    common.add_argument("--port", type=int, default=8080)
    parser = argparse.ArgumentParser(prog="sample", description="The workloads of devloop's sample platform.")
    workloads = parser.add_subparsers(dest="workload", required=True)
    workloads.add_parser("serve", parents=[common], help="answer requests")
    work = workloads.add_parser("work", parents=[common], help="do a piece of work at every interval")
    work.add_argument("--interval", type=duration, default=10.0)
    workloads.add_parser("report", parents=[common], help="report once and end")
    observe = workloads.add_parser("observe", parents=[common], help="tell what the API server knows as metrics")
    observe.add_argument("--interval", type=duration, default=15.0)
    monitor = workloads.add_parser("monitor", parents=[common], help="scrape, judge by rules, alert")
    monitor.add_argument("--rules", required=True, metavar="FILE")
    monitor.add_argument("--target", required=True, action="append", metavar="URL")
    monitor.add_argument("--external-label", type=label, action="append", default=[], metavar="NAME=VALUE")
    monitor.add_argument("--interval", type=duration, default=15.0)
    return parser.parse_args(arguments)


def workload(name: str) -> Callable[[argparse.Namespace, Log, threading.Event], int]:
    """The workload's function; only its own module is imported, since the first second of a small container is its most expensive one."""
    if name == "serve":
        from .serve import run
    elif name == "work":
        from .work import run
    elif name == "report":
        from .report import run
    elif name == "observe":
        from .observe import run
    else:
        from .monitor import run
    return run


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    stop = threading.Event()
    # The first process of a container is asked to end like any other, but nothing happens unless it listens.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return workload(options.workload)(options, Log(options.log_level), stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
