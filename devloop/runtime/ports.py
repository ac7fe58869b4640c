"""The ports of an environment: kept as long as they are free."""

from collections.abc import Sequence

from devloop.clients import private_files
from devloop.clients.ports import free_ports, is_free
from devloop.runtime.layout import Layout

# Each starts with the name of its component.
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
    return {name: int(str(port)) for name, port in private_files.read_json(layout.folder / FILE).items()}


def ensure_ports(layout: Layout) -> None:
    """Choose ports, keeping those that are still free. Call it only while no component is running."""
    _choose(layout, {name: port for name, port in ports(layout).items() if is_free(port)})


def move_ports(layout: Layout, components: Sequence[str]) -> None:
    """Choose other ports for these components."""
    _choose(layout, {name: port for name, port in ports(layout).items() if not name.startswith(tuple(components))})


def _choose(layout: Layout, kept: dict[str, int]) -> None:
    missing = [name for name in PORTS if name not in kept]
    private_files.write_json(layout.folder / FILE, kept | dict(zip(missing, free_ports(len(missing)), strict=True)))
