"""The command line: exits with 0 if every fault was as its file says, 1 if not, 2 for wrong usage."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fnmatch
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.faults.environment import THIS, Build, Environment
from scripts.faults.files import PROVISIONERS, Fault, InvalidFault, read_faults
from scripts.faults.play import SYNC, UP, WATCH, Result, play, plays
from scripts.faults.table import markdown_table, problem_lines, summary, text_table
from scripts.keep import kept_or_temporary

USAGE = 2


def main() -> int:
    wanted = _arguments()
    try:
        faults = read_faults()
    except InvalidFault as error:
        print(f"faults: {error}", file=sys.stderr)
        return USAGE
    by_name = {fault.name: fault for fault in faults}
    chosen = [fault for fault in faults if _is_wanted(fault, wanted)]
    if not chosen:
        print(f"faults: no fault is called {' or '.join(wanted.names)} on {wanted.provisioner}", file=sys.stderr)
        return USAGE
    results: list[Result] = []
    with contextlib.suppress(KeyboardInterrupt), _environments(wanted) as environments:
        for fault in chosen:
            for environment in environments:
                results.append(_played(fault, environment, by_name, wanted.via))
                _show(results[-1], verbose=wanted.verbose)
                if wanted.json:
                    wanted.json.write_text(json.dumps([dataclasses.asdict(result) for result in results], indent=1))
    own = [result for result in results if result.build == THIS.name]
    print(markdown_table(own) if wanted.markdown else text_table(own))
    print("\n".join(summary(results)))
    return int(any(result.problems for result in own) or len(own) < len(chosen))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="task faults --", description="Plant faults and measure how soon devloop names their causes.")
    parser.add_argument("names", nargs="*", default=["*"], help="of faults, such as pods/crash or 'apply/*'; default: all")
    parser.add_argument("--provisioner", choices=PROVISIONERS, default="embedded")
    parser.add_argument("--via", choices=(UP, SYNC, WATCH), default=UP, help="the command that meets the fault (default: up)")
    parser.add_argument("--ci", action="store_true", help="only those that every CI run plays")
    parser.add_argument("--before", type=Path, metavar="DIR", help="also play them with another checkout, which has its own .venv")
    cache = os.environ.get("DEVLOOP_BEFORE_CACHE", "")
    parser.add_argument(
        "--before-cache", default=cache, metavar="DIR", help="XDG_CACHE_HOME of that checkout; default: DEVLOOP_BEFORE_CACHE"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table for docs/reliability.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results, with the output of each command")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the environments in DIR running, and use them again")
    parser.add_argument("--verbose", action="store_true", help="show the output of each command")
    return parser.parse_args()


def _is_wanted(fault: Fault, wanted: argparse.Namespace) -> bool:
    on = fault.ci if wanted.ci else fault.provisioners
    return wanted.provisioner in on and plays(fault, wanted.via) and any(fnmatch.fnmatchcase(fault.name, name) for name in wanted.names)


@contextlib.contextmanager
def _environments(wanted: argparse.Namespace) -> Iterator[Sequence[Environment]]:
    """One for each build, running."""
    builds = [THIS]
    if wanted.before:
        before = wanted.before.resolve()
        builds.append(Build("before", before, before / ".venv" / "bin" / "python", wanted.before_cache))
    with kept_or_temporary(wanted.keep, "faults-") as folder:
        environments = [_environment(build, folder, wanted.provisioner) for build in builds]
        try:
            for environment in environments:
                environment.must_up() if environment.repository.exists() else environment.create()
            yield environments
        finally:
            for environment in environments if not wanted.keep else ():
                if environment.repository.exists():
                    environment.down()


def _environment(build: Build, folder: Path, provisioner: str) -> Environment:
    """With a name that stays the same for a folder, so that --keep finds its cluster again."""
    home = folder / f"{build.name}-{provisioner}"
    record = home / "cluster"
    if record.exists():
        return Environment(build, home, provisioner, record.read_text())
    environment = Environment(build, home, provisioner)
    home.mkdir(parents=True)
    record.write_text(environment.cluster)
    return environment


def _played(fault: Fault, environment: Environment, by_name: dict[str, Fault], via: str) -> Result:
    try:
        return play(fault, environment, by_name.get(fault.after), via=via)
    except Exception as error:  # noqa: BLE001 (one fault that cannot be played or healed must not end the run)
        _recreate(environment)
        return Result(fault.name, environment.provisioner, environment.build.name, None, "", [f"not played: {error}"])


def _recreate(environment: Environment) -> None:
    environment.git("checkout", "-q", "--", ".")
    environment.git("clean", "-qfd")
    environment.down()
    environment.must_up()
    environment.simulate_failures()


def _show(result: Result, *, verbose: bool) -> None:
    """Progress, and everything about a fault that was not as expected."""
    seconds = "-" if result.seconds is None else f"{result.seconds:.2f} s"
    print(f"{time.strftime('%H:%M:%S')} {result.fault} {result.build} {seconds} {result.cause}", file=sys.stderr)
    if result.evidence and verbose:
        print(f"  evidence: {result.evidence}", file=sys.stderr)
    if result.problems:
        print("\n".join(problem_lines(result)), file=sys.stderr)
    if verbose:
        print(result.output, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
