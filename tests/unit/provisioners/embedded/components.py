"""The components of an embedded environment for tests, and their command lines."""

from __future__ import annotations

from pathlib import Path

from devloop.flux import processes
from devloop.gitserver import process
from devloop.model.cluster.definition import ClusterDefinition, NetworkConfiguration, NodeConfiguration
from devloop.provisioners.embedded.control_plane import CONTROL_PLANE
from devloop.runtime.components import Component, ComponentContext

CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")


class Tools:
    """Fake paths of the programs."""

    def path(self, name: str) -> Path:
        return Path("/tools") / name

    def version(self, name: str) -> str:
        return "1.2.3"


def definition(*nodes: NodeConfiguration, **network: str) -> ClusterDefinition:
    return ClusterDefinition(
        "demo", "G3", "ksail.yaml", nodes=nodes or (NodeConfiguration("control-plane"),), network=NetworkConfiguration(**network)
    )


def commands(context: ComponentContext) -> list[Component]:
    return [
        *(program.command(context) for program in CONTROL_PLANE.values()),
        *(processes.command(context, name, {}) for name in CONTROLLERS),
        process.command(context),
    ]


def flags(component: Component) -> dict[str, str]:
    return dict(argument.removeprefix("--").split("=", 1) for argument in component.argv[1:])
