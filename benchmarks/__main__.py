"""`python -m benchmarks [--validate | --install | --provisioner NAME] [--before DIR] [--runs N] [--only NAME]...`: a table, and JSON.

Exit codes: 0 all kept, 1 a target missed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks.measurements import Measurements, table, write_json
from benchmarks.sandbox import Sandbox, sandbox
from devloop.commands.toolchain import EVERYTHING
from devloop.errors import DevloopError, Interrupted
from devloop.toolchain import Toolchain

PARTS = ("up", "again", "resume", "help", "down", "memory")
FAILED = 2
BY_HAND_RUNS = 3  # one takes minutes


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments()
    try:
        wanted = (arguments.provisioner, arguments.only or PARTS, arguments.runs)
        if arguments.install:
            measured = _installation(arguments.before, arguments.runs)
        elif arguments.loop:
            measured = _loop(arguments.loop, arguments.before_tools, arguments.runs)
        elif arguments.before:
            measured = _against(arguments.before, arguments.before_tools, arguments.runs)
        else:
            measured = _validation(arguments.runs) if arguments.validate else _measured(*wanted)
    except KeyboardInterrupt:
        return Interrupted.exit_code
    except DevloopError as error:
        print(error, file=sys.stderr)
        return FAILED
    print(table(measured))
    print(f"\nwritten to {write_json(measured, datetime.now().astimezone())}")
    return 1 if measured.missed() else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="The speeds that devloop promises, measured on this machine.")
    parser.add_argument("--provisioner", choices=("embedded", "kind"), default="embedded", help="default: embedded")
    parser.add_argument("--validate", action="store_true", help="time `validate` instead of the loop")
    parser.add_argument("--install", action="store_true", help="time installations from nothing; with --before from source too")
    parser.add_argument("--before", type=Path, metavar="DIR", help="time an earlier checkout, with its .venv, and this one in turns")
    parser.add_argument("--loop", type=Path, metavar="DIR", help="time `watch` and `sync` in turns with `up` of an earlier checkout")
    tools = Path.home() / ".cache/devloop/tools"
    parser.add_argument("--before-tools", type=Path, metavar="DIR", default=tools, help=f"the programs of that checkout (default: {tools})")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="rounds to measure (default: 5)")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="NAME", help=f"one of {', '.join(PARTS)}; may be repeated")
    return parser.parse_args()


def _measured(provisioner: str, parts: tuple[str, ...], runs: int) -> Measurements:
    measure = _round_of(provisioner)
    measured = Measurements(provisioner)
    with sandbox(provisioner) as place:
        for number in range(runs):
            print(f"round {number + 1} of {runs}", file=sys.stderr)
            measured.load.append(os.getloadavg()[0])
            measure(place, parts, number, measured)
    return measured


def _validation(runs: int) -> Measurements:
    from benchmarks import validating

    measured = Measurements("validate")
    with validating.prepared() as place:
        for number in range(runs):
            print(f"round {number + 1} of {runs}", file=sys.stderr)
            measured.load.append(os.getloadavg()[0])
            validating.measure(place, measured)
    return measured


def _installation(before: Path | None, runs: int) -> Measurements:
    from benchmarks import installing

    measured = Measurements("install")
    with installing.prepared() as place:
        for number in range(runs):
            print(f"round {number + 1} of {runs}", file=sys.stderr)
            measured.load.append(os.getloadavg()[0])
            installing.measure(place, measured)
    if before:
        installing.compare(before.absolute(), measured)
    return measured


def _against(before: Path, tools: Path, runs: int) -> Measurements:
    from benchmarks import against

    measured = Measurements("before")
    with against.prepared(before.absolute(), tools) as sides:
        for number in range(runs):
            print(f"round {number + 1} of {runs}", file=sys.stderr)
            measured.load.append(os.getloadavg()[0])
            against.measure(sides, number, measured)
        against.compare_relations(sides, measured)
    return measured


def _loop(before: Path, tools: Path, runs: int) -> Measurements:
    from benchmarks import against, looping

    measured = Measurements("loop")
    with against.prepared(before.absolute(), tools) as sides:
        measured.load.append(os.getloadavg()[0])
        looping.measure(sides, runs, measured)
        looping.measure_by_hand(sides, min(runs, BY_HAND_RUNS), measured)
    print(looping.summary(measured))
    return measured


def _round_of(provisioner: str) -> Callable[[Sandbox, tuple[str, ...], int, Measurements], None]:
    """The function that measures one round; installs what that needs."""
    if provisioner == "kind":
        from benchmarks import rounds_kind

        rounds_kind.prepare()
        return rounds_kind.measure
    from benchmarks import rounds

    Toolchain().ensure((*EVERYTHING, "kubectl"), lambda event: None)
    return rounds.measure


if __name__ == "__main__":
    sys.exit(main())
