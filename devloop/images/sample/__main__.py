"""The command line. All workloads but `report` listen on a port and exit with status 0 on SIGTERM."""

import argparse
import importlib
import signal
import sys
import threading
from collections.abc import Callable

from .log import LEVELS, Log

_PART_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """500ms, 10s, 5m, 1h -> seconds; argparse shows the ValueError."""
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
    work = workloads.add_parser("work", parents=[common], help="do some work at every interval")
    work.add_argument("--interval", type=duration, default=10.0)
    workloads.add_parser("report", parents=[common], help="report once and exit")
    observe = workloads.add_parser("observe", parents=[common], help="export the state of the cluster as metrics")
    observe.add_argument("--interval", type=duration, default=15.0)
    monitor = workloads.add_parser("monitor", parents=[common], help="scrape metrics, evaluate rules, send alerts")
    monitor.add_argument("--rules", required=True, metavar="FILE")
    monitor.add_argument("--target", required=True, action="append", metavar="URL")
    monitor.add_argument("--external-label", type=label, action="append", default=[], metavar="NAME=VALUE")
    monitor.add_argument("--interval", type=duration, default=15.0)
    return parser.parse_args(arguments)


def workload(name: str) -> Callable[[argparse.Namespace, Log, threading.Event], int]:
    """The workload's function; imports its module only, since imports dominate the start of a small container."""
    run: Callable[[argparse.Namespace, Log, threading.Event], int] = importlib.import_module(f".{name}", __package__).run
    return run


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    stop = threading.Event()
    # The kernel ignores SIGTERM for the first process of a container unless it has a handler.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return workload(options.workload)(options, Log(options.log_level), stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
