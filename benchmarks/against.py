"""Compares this checkout with an earlier one in one run: times every command with both, in alternating order.

The earlier checkout has its own virtual environment and runs with its own cache folder, so that neither uses what the other made.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generated import generate_relations
from benchmarks.measurements import AGAIN, COLD, HELP, RELATIONS, SAME, Measurements
from benchmarks.validating import CASE
from devloop.clients import process
from devloop.clients.xdg import cache_folder

NAMES = (HELP, AGAIN, COLD, SAME)


@dataclass(frozen=True)
class Side:
    """One of the checkouts: its Python and its own folders."""

    name: str
    python: Path
    folder: Path
    tools: Path
    module: str = "devloop"

    @property
    def env(self) -> Mapping[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SOPS_") and key != "PYTHONDONTWRITEBYTECODE"}
        folders = {f"XDG_{kind.upper()}_HOME": str(self.folder / kind) for kind in ("cache", "state", "config")}
        more = {"KUBECONFIG": str(self.folder / "kubeconfig"), "NO_COLOR": "1", "DEVLOOP_PROVISIONER": "embedded"}
        return kept | folders | more | ({} if self.module == "devloop" else {"PYTHONPATH": str(Path(__file__).parents[1])})

    def devloop(self, *arguments: str | Path, fine: tuple[int, ...] = (0,)) -> float:
        """Seconds from start to end; raises ToolError for an exit code other than `fine`."""
        start = time.perf_counter()
        done = process.run([self.python, "-m", self.module, *arguments], cwd=self.folder, env=self.env, check=False)
        seconds = time.perf_counter() - start
        if done.status not in fine:
            raise SystemExit(f"{self.name}: devloop {arguments} ended with {done.status}: {done.stderr.decode()[-2000:]}")
        return seconds

    def forget_renderings(self) -> None:
        shutil.rmtree(self.folder / "cache/devloop/renderings", ignore_errors=True)


@contextlib.contextmanager
def prepared(before: Path, tools: Path) -> Iterator[tuple[Side, Side]]:
    """Both checkouts with the sample running and the real repository copied; `tools` is the program cache of the earlier one."""
    with tempfile.TemporaryDirectory(prefix="devloop-against-") as scratch:
        now = Side("now", Path(sys.executable), Path(scratch, "now"), cache_folder() / "tools")
        then = Side("before", before / ".venv/bin/python", Path(scratch, "before"), tools)
        with running(then), running(now):
            for side in (then, now):
                if CASE.is_dir():
                    shutil.copytree(CASE, side.folder / "home-cluster")
                    process.run(["git", "init", "--quiet", side.folder / "home-cluster"])
            yield then, now


@contextlib.contextmanager
def running(side: Side) -> Iterator[Side]:
    """With the sample running."""
    try:
        _prepare(side)
        yield side
    finally:
        side.devloop("-C", "demo", "down", "local", fine=(0, 1, 2))


def _prepare(side: Side) -> None:
    (side.folder / "cache/devloop").mkdir(parents=True)
    (side.folder / "cache/devloop/tools").symlink_to(side.tools)
    side.devloop("init", "demo")
    for definition in ("ksail.yaml", "kind.yaml"):
        file = side.folder / "demo/clusters/local" / definition
        text = file.read_text().replace("name: local\n", f"name: against-{side.name}\n")
        file.write_text(text.replace("kind-local\n", f"kind-against-{side.name}\n"))
    side.devloop("-C", "demo", "up", "local")


def measure(sides: tuple[Side, Side], number: int, measured: Measurements) -> None:
    """One round of everything; the earlier checkout goes first in every second round."""
    then, now = sides
    order = (then, now) if number % 2 else (now, then)
    for name in NAMES:
        seconds = {side.name: _timed(name, side) for side in order}
        for side, value in seconds.items():
            measured.seconds[f"{name}, {side}"].append(value)
        measured.seconds[f"{name}, now / before"].append(seconds["now"] / seconds["before"])


def compare_relations(sides: tuple[Side, Side], measured: Measurements) -> None:
    """Once, since the earlier checkout may take minutes: 300 Kustomizations that depend on each other."""
    seconds = {}
    for side in sides:
        generate_relations(side.folder / "related", 300)
        process.run(["git", "init", "--quiet", side.folder / "related"])
        seconds[side.name] = side.devloop("-C", "related", "validate", fine=(0, 1))
        measured.seconds[f"{RELATIONS}, {side.name}"].append(seconds[side.name])
    measured.seconds[f"{RELATIONS}, now / before"].append(seconds["now"] / seconds["before"])


def _timed(name: str, side: Side) -> float:
    if name == HELP:
        return side.devloop("--help")
    if name == AGAIN:
        return side.devloop("-C", "demo", "up", "local")
    if name == COLD:
        side.forget_renderings()
    return side.devloop("-C", "home-cluster", "validate", fine=(0, 1))
