"""Plants a fault: edits of the repository and actions on the running environment."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from scripts.faults.environment import NAME, Environment
from scripts.faults.evidence import watching
from scripts.faults.files import Action, Evidence, Fault

ENTRY = f"k8s/clusters/{NAME}"
ADDED = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"name": "fault", "namespace": "flux-system"},
    "spec": {
        "interval": "10m",
        "retryInterval": "1m",
        "timeout": "5m",
        "prune": True,
        "wait": True,
        "dependsOn": [{"name": "apps"}],  # so that nothing else is still being reconciled when its evidence is there
        "path": f"./{ENTRY}/fault",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        "commonMetadata": {"labels": {"environment": NAME}},
    },
}
SIGNALS = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP, "resume": signal.SIGCONT}


def plant_files(fault: Fault, repository: Path) -> None:
    """Make the edits; raises ValueError if a text to replace is not in its file."""
    if fault.kustomization:
        _add_kustomization(fault.kustomization, repository / ENTRY)
    for edit in fault.edits:
        _edit(edit, repository)


def _edit(edit: Mapping[str, Any], repository: Path) -> None:
    path = repository / edit["path"]
    if "move" in edit:
        path.rename(repository / edit["move"])
    elif "delete" in edit:
        path.unlink()
    elif "write" in edit:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(edit["write"])
    elif "merge" in edit:
        path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), edit["merge"]), sort_keys=False))
    elif "append" in edit:
        path.write_text(path.read_text() + edit["append"])
    elif edit["replace"] not in path.read_text():
        raise ValueError(f"{edit['path']} has no {edit['replace']!r}")
    else:
        path.write_text(path.read_text().replace(edit["replace"], edit["with"], 1))


def _add_kustomization(wanted: Mapping[str, Any], entry: Path) -> None:
    added = merged(ADDED, {"spec": wanted.get("spec", {})})
    (entry / "fault.yaml").write_text(yaml.safe_dump(added))
    for name, text in wanted["files"].items():
        path = entry / "fault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    root = entry / "kustomization.yaml"
    root.write_text(root.read_text().replace("  - cluster.yaml\n", "  - cluster.yaml\n  - fault.yaml\n", 1))


def merged(value: Any, change: Any) -> Any:
    """`value` with `change` in it; null removes a field, items of lists are merged by their names."""
    if isinstance(value, Mapping) and isinstance(change, Mapping):
        result = {**value, **{key: merged(value.get(key), inner) for key, inner in change.items()}}
        return {key: inner for key, inner in result.items() if inner is not None}
    if (
        isinstance(value, list)
        and isinstance(change, list)
        and all(isinstance(item, Mapping) and "name" in item for item in value + change)
    ):
        changes = {item["name"]: item for item in change}
        kept = [merged(item, changes.pop(item["name"], {})) for item in value]
        return [*kept, *changes.values()]
    return change


def act(actions: Sequence[Action], environment: Environment) -> None:
    """Raises RuntimeError or a subprocess's error for an action that fails."""
    for action in actions:
        [(verb, value)] = action.items()
        if verb == "kubectl":
            environment.kubectl(shlex.split(value.replace("{prod-key}", str(environment.key("prod")))))
        elif verb == "apply":
            environment.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], value)
        elif verb == "up":
            environment.devloop("up", NAME, *shlex.split(value))
        elif verb == "wait":
            time.sleep(value)
        elif verb == "until":
            _await(Evidence.of(value), environment)
        else:
            environment.signal(value, SIGNALS[verb])


def _await(evidence: Evidence, environment: Environment) -> None:
    with watching(environment.kube, evidence, existing=True) as watch:
        if not watch.wait(60):
            raise RuntimeError(f"{evidence} did not happen")
