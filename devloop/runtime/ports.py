"""The ports of an environment: chosen free, kept for as long as nobody else takes them."""

from __future__ import annotations

from collections.abc import Sequence

from devloop.clients.ports import free_ports, is_free
from devloop.runtime.layout import Layout

# Each begins with the name of the component that listens there.
PORTS = (
    "kube-apiserver",
    "git-server",
    "source-controller-artifacts",
    "source-controller-health",
    "kustomize-controller-health",
    "helm-controller-health",
)
FILE = "ports.json"


def ports(layout: Layout) -> dict[str, int]:
    """As they were chosen last."""
    return {name: int(str(port)) for name, port in layout.read_json(FILE).items()}


def ensure_ports(layout: Layout) -> None:
    """Only while nothing of the environment runs: every port is free, those of an earlier start are kept where they still are."""
    _choose(layout, {name: port for name, port in ports(layout).items() if is_free(port)})


def move_ports(layout: Layout, components: Sequence[str]) -> None:
    """Other ports for these components."""
    _choose(layout, {name: port for name, port in ports(layout).items() if not name.startswith(tuple(components))})


def _choose(layout: Layout, kept: dict[str, int]) -> None:
    missing = [name for name in PORTS if name not in kept]
    layout.write_json(FILE, kept | dict(zip(missing, free_ports(len(missing)), strict=True)))
