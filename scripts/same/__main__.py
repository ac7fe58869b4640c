"""The command line: prepares, runs and compares both builds; exits with 0 same, 1 different, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.keep import kept_or_temporary
from scripts.same.build import Build, NotReady
from scripts.same.commands import Command, expand
from scripts.same.compare import compare
from scripts.same.inputs import Inputs, prepare
from scripts.same.running import run_both

ROOT = Path(__file__).parents[2]
USAGE, INTERRUPTED = 2, 130


def main() -> int:
    wanted = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # keeps the results so far
    try:
        # Both builds use the same folder of inputs, so that paths do not differ.
        with kept_or_temporary(wanted.keep, "same-inputs-") as keep, tempfile.TemporaryDirectory(prefix="same-") as scratch:
            builds = _builds(wanted, Path(scratch))
            inputs = prepare(keep, builds[0], ROOT / "tests" / "same", wanted.cases)
            commands = _chosen(inputs, wanted, builds)
            start = time.monotonic()
            pairs = run_both(builds, commands, inputs, keep=keep, jobs=wanted.jobs)
            with contextlib.closing(pairs):
                code = compare(pairs, wanted.mode, str(inputs.folder))
            print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
            return code
    except NotReady as error:
        print(f"same: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="task same --", description="Compare what two builds of devloop print, write and end with.")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    parser.add_argument(
        "--before",
        type=Path,
        default=os.environ.get("DEVLOOP_BEFORE"),
        metavar="DIR",
        help="a checkout with its own .venv, also of the fixtures that both run over; default: DEVLOOP_BEFORE",
    )
    parser.add_argument(
        "--before-cache",
        type=Path,
        default=os.environ.get("DEVLOOP_BEFORE_CACHE", cache),
        metavar="DIR",
        help="XDG_CACHE_HOME with its pinned programs; default: DEVLOOP_BEFORE_CACHE, else this user's",
    )
    parser.add_argument("--after-cache", type=Path, default=cache, metavar="DIR", help="the same for this checkout; default: this user's")
    parser.add_argument("--cases", type=Path, default=_cases(), metavar="DIR", help="default: ../shared/cases of the main worktree")
    parser.add_argument(
        "--mode",
        choices=("bytes", "facts"),
        default="bytes",
        help="bytes: everything; facts: rules, severities, places, exit codes and counts, and each changed message once",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        default=os.environ.get("DEVLOOP_SAME_KEEP"),
        metavar="DIR",
        help="keep inputs and what BEFORE gave, and use it again; default: DEVLOOP_SAME_KEEP, else nothing is kept",
    )
    parser.add_argument("--only", action="append", default=[], metavar="GLOB", help="only commands whose names match; may be repeated")
    parser.add_argument("--quick", action="store_true", help="without those that are marked slow")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, metavar="N", help="how many commands at once")
    return parser.parse_args()


def _cases() -> Path:
    asked = ["git", "-C", str(ROOT), "rev-parse", "--path-format=absolute", "--git-common-dir"]
    common = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return Path(common or ROOT / ".git").parents[1] / "shared" / "cases"


def _builds(wanted: argparse.Namespace, scratch: Path) -> tuple[Build, Build]:
    if wanted.before is None:
        raise NotReady("which build is the one before? --before DIR, or DEVLOOP_BEFORE")
    before = wanted.before.absolute()
    # Folders with names of the same length, since the widths of tables depend on paths.
    builds = (
        Build("before", before, before / ".venv" / "bin" / "python", wanted.before_cache.absolute(), scratch / "old"),
        Build("after", ROOT, Path(sys.executable), wanted.after_cache.absolute(), scratch / "new"),
    )
    for build in builds:
        build.prepare()
    return builds


def _chosen(inputs: Inputs, wanted: argparse.Namespace, builds: tuple[Build, Build]) -> list[Command]:
    """The commands to run; prints those that cannot run here."""
    listed = expand(ROOT / "tests" / "same" / "commands.yaml", inputs)
    commands = [command for command in listed if command.matches(wanted.only) and not (wanted.quick and command.slow)]
    if not commands:
        raise NotReady(f"no command is called {' or '.join(wanted.only)}")
    missing = [f"{build.name} lacks {', '.join(build.missing)}" for build in builds if build.missing]
    skipped = [command for command in commands if missing and command.needs_tools]
    if skipped:
        print(f"SKIPPED: {len(skipped)} commands that need every pinned program: {'; '.join(missing)}", file=sys.stderr)
    for reason in inputs.skipped:
        print(f"SKIPPED: {reason}", file=sys.stderr)
    return [command for command in commands if command not in skipped]


if __name__ == "__main__":
    sys.exit(main())
