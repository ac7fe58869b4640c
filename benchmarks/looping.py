"""The inner loop: from a save to everything Ready by `watch` and `sync`, in turns with `up` of an earlier checkout and Flux by hand."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.against import Side, running
from benchmarks.measurements import Measurements
from devloop.clients import process
from devloop.gitserver.credentials import FILE, passwords
from devloop.gitserver.git_server import PUSHER
from devloop.model.flux.kustomization import assess
from devloop.model.flux.names import REQUESTED_AT
from devloop.repository.snapshot import push, snapshot
from devloop.toolchain import Toolchain

SYNC, WATCH = "sync", "watch"
LIMIT = 120.0  # seconds for one run
LOOK, MOST_BY_HAND = 2.0, 600.0  # seconds between two looks by hand, and for one reconciliation
FLUX = ("flux-system", "-n", "flux-system")

# An edit that one Kustomization sees, and one that all of them see.
LEAF, CHAIN = "one Deployment", "a variable of all"
EDITS = {LEAF: "k8s/bases/apps/storefront/deployment-web.yaml", CHAIN: "k8s/clusters/local/variables/config-map.yaml"}


def edit(side: Side, name: str, number: int) -> None:
    path = side.folder / "demo" / EDITS[name]
    lines = [line for line in path.read_text().splitlines() if "edited_by" not in line]
    leaf = ("    metadata:", f"      annotations: {{edited_by: 'run {number}'}}")
    after, new = leaf if name == LEAF else ("data:", f"  edited_by: run-{number}")
    lines.insert(lines.index(after) + 1, new)
    path.write_text("\n".join(lines) + "\n")


def measure(sides: tuple[Side, Side], runs: int, measured: Measurements) -> None:
    """`runs` edits of each kind by `sync` and by `watch`, each in turn with the earlier `up`."""
    then, now = sides
    numbers = itertools.count(1)
    for _ in range(runs):
        for name in EDITS:
            _pair(measured, then, now, name, next(numbers), SYNC, lambda: now.devloop("-C", "demo", "sync", "local"))
    with watching(now) as until_healthy:
        for _ in range(runs):
            for name in EDITS:
                _pair(measured, then, now, name, next(numbers), WATCH, until_healthy)


def measure_by_hand(sides: tuple[Side, Side], runs: int, measured: Measurements) -> None:
    """`runs` edits of each kind by `watch`, in turn with what people do: push, `kubectl annotate`, and look every two seconds."""
    _, now = sides
    numbers = itertools.count(1000)
    with_own_flags = Side("by-hand", now.python, now.folder.parent / "by-hand", now.tools, "benchmarks.own_flags")
    with running(with_own_flags) as hand, watching(now) as until_healthy:
        for _ in range(runs):
            for name in EDITS:
                number = next(numbers)
                edit(hand, name, number)
                by_hand = reconcile_by_hand(hand)
                start = time.perf_counter()
                edit(now, name, number)
                until_healthy()
                measured.seconds[f"{name}: by hand"].append(by_hand)
                measured.seconds[f"{name}: {WATCH} / by hand"].append((time.perf_counter() - start) / by_hand)


def reconcile_by_hand(side: Side) -> float:
    """Seconds; the push goes the way of devloop, since `git push` needs no less."""
    root, start = side.folder / "demo", time.perf_counter()
    [folder] = {path.parent for path in (side.folder / "state").rglob(FILE)}
    url = _kubectl(side, "get", "gitrepository", *FLUX, "-o", "jsonpath={.spec.url}")
    source = snapshot(root)
    push(root, source, url, PUSHER, passwords(folder)[PUSHER])
    _kubectl(side, "annotate", "gitrepository", *FLUX, "--overwrite", f"{REQUESTED_AT}={time.time_ns()}")
    while time.perf_counter() - start < MOST_BY_HAND:
        items = json.loads(_kubectl(side, "get", "kustomizations", "-A", "-o", "json"))["items"]
        if all(assess(item, source.revision).ready for item in items):
            return time.perf_counter() - start
        time.sleep(LOOK)
    raise SystemExit("by hand: not ready")


def _kubectl(side: Side, *arguments: str) -> str:
    return process.run([Toolchain().path("kubectl"), *arguments], env=side.env).stdout.decode()


def _pair(measured: Measurements, then: Side, now: Side, name: str, number: int, kind: str, run: Callable[[], float]) -> None:
    edit(then, name, number)
    before = then.devloop("-C", "demo", "up", "local")
    start = time.perf_counter()
    edit(now, name, number)
    run()
    seconds = time.perf_counter() - start
    measured.seconds[f"{name}: up, before"].append(before)
    measured.seconds[f"{name}: {kind}"].append(seconds)
    measured.seconds[f"{name}: {kind} / up, before"].append(seconds / before)


@contextlib.contextmanager
def watching(side: Side) -> Iterator[Callable[[], float]]:
    """A `watch` after its first run; waits until it is healthy again, in seconds."""
    argv: list[str | Path] = [side.python, "-u", "-m", "devloop", "-C", "demo", "watch", "local"]
    run = process.spawn(argv, cwd=side.folder, env=side.env, stdout=process.PIPE, stderr=process.STDOUT)
    assert run.stdout
    output = run.stdout

    def until_healthy() -> float:
        start = time.perf_counter()
        for line in output:
            if b"is healthy at" in line:
                return time.perf_counter() - start
            if b"is not healthy" in line:
                raise SystemExit(f"watch: {line.decode()}")
        raise SystemExit("watch ended")

    try:
        until_healthy()
        yield until_healthy
    finally:
        run.terminate()
        run.wait(LIMIT)


def summary(measured: Measurements) -> str:
    """Median and 95th percentile of each value."""
    rows = [f"{'':42}{'p50':>8}{'p95':>8}"]
    for name, values in measured.seconds.items():
        ordered = sorted(values)
        rows.append(f"{name:42}{ordered[len(ordered) // 2]:8.2f}{ordered[int(len(ordered) * 0.95)]:8.2f}")
    return "\n".join(rows)
