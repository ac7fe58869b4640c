"""Measured times against the promised ones: as a table, and as JSON to compare runs."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

UP, BY_HAND, RATIO = "up", "by hand", "up / by hand"
AGAIN, EDIT, VARIABLE = "up, nothing changed", "up, one ConfigMap changed", "up, a variable of all changed"
HELP, DOWN, MEMORY = "--help", "down", "memory"
STOP, RESUME, RESUME_RATIO = "stop", "up, stopped before", "up, stopped before / up"
# With Kind, the script runs in three variants and covers more of an environment's life cycle.
DEFAULT_FLAGS, DEFAULT_RATIO = "by hand, Flux's own flags", "up / by hand, Flux's own flags"
CONFIGURED, CONFIGURED_RATIO = "by hand, our nodes too", "up / by hand, our nodes too"
EDIT_BY_HAND, AGAIN_BY_HAND = "by hand, one ConfigMap changed", "by hand, nothing changed"
KIND_DELETE, DOWN_RATIO = "kind delete cluster", "down / kind delete cluster"
# Of `devloop validate`.
COLD, WARM, SAME = "home-cluster, cold", "home-cluster, one file changed", "home-cluster, nothing changed"
LARGE, LARGE_MEMORY = "20,000 objects", "20,000 objects, memory (GiB)"
PEERS, PEERS_RATIO = "home-cluster, flate and kubeconform", "cold / flate and kubeconform"
GROWTH = "one of 1,000 / one of 100"
RELATIONS, RELATIONS_GROWTH = "relations, 300", "relations, 800 / relations, 200"
# Of an installation, from nothing.
BARE, BARE_RATIO = "downloaded, to healthy", "downloaded / from source, before"
WHEEL, START = "wheel, to the first validate", "worker, to the first answer"
FROM_SOURCE, SOURCE_RATIO = "from source, to healthy", "from source / before"
WORKER_BUILD, WORKER_RATIO = "build of the worker", "build of the worker / before"

# Upper limits by provisioner (or `validate`), in seconds or as a share of the script's time.
TARGETS: Mapping[str, Mapping[str, float]] = {
    "embedded": {UP: 8.0, RATIO: 0.9, AGAIN: 1.0, EDIT: 1.5, HELP: 0.25, DOWN: 2.0, RESUME_RATIO: 0.5},
    "kind": {RATIO: 0.7, DEFAULT_RATIO: 0.25, AGAIN: 1.5, EDIT: 1.5, HELP: 0.25, DOWN_RATIO: 1.2, RESUME_RATIO: 0.5},
    "before": {f"{name}, now / before": 1.0 for name in (HELP, AGAIN, COLD, SAME)} | {f"{RELATIONS}, now / before": 0.02},
    "install": {WHEEL: 12.0, START: 0.06, BARE_RATIO: 0.12, SOURCE_RATIO: 0.8, WORKER_RATIO: 1.0},
    "loop": {
        "one Deployment: watch / up, before": 0.3,
        "a variable of all: watch / up, before": 0.5,
        "one Deployment: sync / up, before": 0.65,
        "a variable of all: sync / up, before": 0.65,
        "a variable of all: watch / by hand": 0.02,
    },
    "validate": {COLD: 1.5, WARM: 0.4, LARGE: 15.0, LARGE_MEMORY: 1.0, PEERS_RATIO: 1.0, RELATIONS_GROWTH: 5.0},
}

RESULTS = Path(__file__).with_name("results")
MEBIBYTE = 1 << 20

Samples = defaultdict[str, list[float]]


def _samples() -> Samples:
    return defaultdict(list)


@dataclass
class Measurements:
    """One value per round by name: `seconds` (and the ratios), the steps of `up`, the phases of the script, MiB by component."""

    provisioner: str = "embedded"
    seconds: Samples = field(default_factory=_samples)
    steps: Samples = field(default_factory=_samples)
    phases: Samples = field(default_factory=_samples)
    memory: Samples = field(default_factory=_samples)
    load: list[float] = field(default_factory=list)

    @property
    def targets(self) -> Mapping[str, float]:
        return TARGETS[self.provisioner]

    def missed(self) -> list[str]:
        return [name for name, target in self.targets.items() if self.seconds[name] and median(self.seconds[name]) > target]


def add(samples: Samples, values: Iterable[tuple[str, float]]) -> None:
    for name, value in values:
        samples[name].append(value)


def table(measured: Measurements) -> str:
    """A table for people."""
    missed = measured.missed()
    lines = [f"{'':32}{'median':>9}{'min':>9}{'max':>9}{'target':>11}"]
    for name, values in measured.seconds.items():
        if values:
            verdict = f"{'<=':>6}{measured.targets[name]:5.2f}  {'missed' if name in missed else 'ok'}" if name in measured.targets else ""
            lines.append(f"{name:32}{_spread(values)}{verdict}")
    lines += _section("steps of up (s; several run at once)", measured.steps)
    lines += _section("phases of the script (s)", measured.phases)
    lines += _section("resident memory (MiB)", measured.memory)
    load = ", ".join(f"{value:.1f}" for value in measured.load)
    return "\n".join([*lines, "", f"load of the machine's {os.cpu_count()} cores before each round: {load}"])


def _section(title: str, samples: Samples) -> list[str]:
    return ["", title, *(f"  {name:30}{_spread(values)}" for name, values in samples.items())] if samples else []


def _spread(values: list[float]) -> str:
    return "".join(f"{value:9.2f}" for value in (median(values), min(values), max(values)))


def write_json(measured: Measurements, now: datetime) -> Path:
    """Writes everything to results/<date>.json and returns that path."""
    document = {
        "date": now.isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "load": measured.load,
        "provisioner": measured.provisioner,
        "targets": measured.targets,
        "missed": measured.missed(),
        "seconds": measured.seconds,
        "steps": measured.steps,
        "phases": measured.phases,
        "memory": measured.memory,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%dT%H-%M-%S}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path
