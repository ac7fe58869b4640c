"""Whose environment it is. Names are one user's on one machine: another repository's environment must not be taken over by accident."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from devloop.errors import DevloopError
from devloop.model.environment import Environment
from devloop.provisioners.embedded import control
from devloop.provisioners.embedded.layout import Layout

# Removed last: a deletion that is cut short is still known to be ours, and is finished by the next one.
FILE = "owner.json"


def owner(layout: Layout) -> str:
    """The repository's root, '' where nothing says so."""
    return str(layout.read_json(FILE).get("root", ""))


def is_foreign(layout: Layout, environment: Environment) -> bool:
    """Whether another repository's remains are there; raises DevloopError where that repository still uses them."""
    found = layout.read_json(FILE)
    root = str(found.get("root", ""))
    if root in ("", _root(environment)):
        return False
    if Path(root).is_dir() and control.runs(layout):
        raise DevloopError(
            f"the name {environment.definition.name} is taken by a running environment of {root}",
            hint=f"devloop -C {root} down {found.get('environment', '')}",
        )
    return True


def claim(layout: Layout, environment: Environment) -> None:
    layout.write_json(FILE, layout.read_json(FILE) | {"root": _root(environment), "environment": environment.name})


def kubeconfigs(layout: Layout) -> Sequence[Path]:
    """Every kubeconfig of the user's that has our context."""
    found = layout.read_json(FILE).get("kubeconfigs")
    return [Path(path) for path in found] if isinstance(found, list) else []


def note_kubeconfig(layout: Layout, path: Path) -> None:
    """Remember a kubeconfig before our context goes into it."""
    known = [str(item) for item in kubeconfigs(layout)]
    if str(path) not in known:
        layout.write_json(FILE, layout.read_json(FILE) | {"kubeconfigs": [*known, str(path)]})


def _root(environment: Environment) -> str:
    return str(environment.root.resolve())
