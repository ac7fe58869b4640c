"""One round: the life cycle of one environment, each part timed and its result checked in the cluster."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path

from benchmarks.by_hand import by_hand
from benchmarks.end_state import EndState, compare, end_state
from benchmarks.measurements import (
    AGAIN,
    BY_HAND,
    DOWN,
    EDIT,
    HELP,
    MEBIBYTE,
    RATIO,
    RESUME,
    RESUME_RATIO,
    STOP,
    UP,
    VARIABLE,
    Measurements,
    add,
)
from benchmarks.sandbox import Sandbox
from devloop.clients.kube import RESOURCES, Kube
from devloop.errors import DevloopError

# Fail early instead of waiting five minutes.
PATIENCE = ("--timeout", "60s")

# Edits by name: the file of the sample, the old and the new text, the ConfigMap that then has the new text.
EDITS = {
    EDIT: ("k8s/bases/infrastructure/monitoring/config-map-alert-rules.yaml", "for: 5m", "for: 6m", ("monitoring", "alert-rules")),
    VARIABLE: ("k8s/clusters/local/variables/config-map.yaml", "log_level: debug", "log_level: info", ("flux-system", "variables-cluster")),
}


def measure(place: Sandbox, parts: Collection[str], number: int, measured: Measurements) -> None:
    """Round `number` of the given parts, in alternating order, so that neither side profits from the other's warm caches."""
    if "help" in parts:
        measured.seconds[HELP].append(place.devloop("--help")[0])
    if not set(parts) - {"help"}:
        return
    if "up" not in parts:
        live(place, parts, measured)
        return
    if number % 2 == 0:
        devloop, script = live(place, parts, measured), _script(place, measured)
    else:
        script, devloop = _script(place, measured), live(place, parts, measured)
    compare(devloop, script)
    measured.seconds[RATIO].append(measured.seconds[UP][-1] / measured.seconds[BY_HAND][-1])


def _script(place: Sandbox, measured: Measurements) -> EndState:
    with by_hand(place) as run:
        measured.seconds[BY_HAND].append(run.seconds)
        add(measured.phases, run.phases.items())
        return end_state(run.kubeconfig)


def live(place: Sandbox, parts: Collection[str], measured: Measurements, edits: Collection[str] = tuple(EDITS)) -> EndState:
    """One life cycle with devloop, with those edits; returns the end state."""
    seconds, report = place.on_sample("up", *PATIENCE, "--output", "json")
    if "up" in parts:
        measured.seconds[UP].append(seconds)
        add(measured.steps, ((step["title"], step["seconds"]) for step in json.loads(report)["steps"]))
    state = end_state(place.provisioner.kubeconfig())
    if "memory" in parts:
        memory(place, measured)
    if "again" in parts:
        measured.seconds[AGAIN].append(place.on_sample("up", *PATIENCE)[0])
        for name in edits:
            edit(place, name, measured)
    if "resume" in parts:
        resume(place, measured)
    seconds, _ = place.on_sample("down")
    if "down" in parts:
        measured.seconds[DOWN].append(seconds)
    return state


def resume(place: Sandbox, measured: Measurements) -> None:
    """Stop the environment and continue it; in the same round as an `up` from nothing, if that is measured."""
    measured.seconds[STOP].append(place.on_sample("stop")[0])
    measured.seconds[RESUME].append(place.on_sample("up", *PATIENCE)[0])
    if measured.seconds[UP]:
        measured.seconds[RESUME_RATIO].append(measured.seconds[RESUME][-1] / measured.seconds[UP][-1])


def memory(place: Sandbox, measured: Measurements) -> None:
    sizes = {name: size / MEBIBYTE for name, _, size in place.provisioner.status().components}
    add(measured.memory, [*sizes.items(), ("all", sum(sizes.values()))])


def edit(place: Sandbox, name: str, measured: Measurements) -> None:
    """Change one file without a commit, and check that the cluster has the change when `up` returns."""
    path, old, new, (namespace, config_map) = EDITS[name]
    with replaced(place.repository / path, old, new):
        measured.seconds[name].append(place.on_sample("up", *PATIENCE)[0])
        found = Kube(place.provisioner.kubeconfig()).get(RESOURCES["ConfigMap"], config_map, namespace)
        if new not in "\n".join(f"{key}: {value}" for key, value in (found or {}).get("data", {}).items()):
            raise DevloopError(f"the cluster does not have the change of {path}")


@contextlib.contextmanager
def replaced(path: Path, old: str, new: str) -> Iterator[None]:
    text = path.read_text()
    if old not in text:
        raise DevloopError(f"{path} has no `{old}` to replace", hint="fix EDITS in benchmarks/rounds.py")
    path.write_text(text.replace(old, new))
    try:
        yield
    finally:
        path.write_text(text)
