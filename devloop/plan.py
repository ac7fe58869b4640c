"""The table of contents of the product: which steps a command takes, and which of them wait for which. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devloop.model.flux.names import CONTROLLERS
from devloop.steps import Step
from devloop.steps.cluster import CompleteCluster, CreateCluster, DeleteEnvironment
from devloop.steps.tools import InstallTools

if TYPE_CHECKING:
    from devloop.model.cluster.environment import Source
    from devloop.model.flux.graph import Graph
    from devloop.steps.validation import Check

Plan = tuple[Step, ...]


def controllers(graph: Graph) -> tuple[str, ...]:
    """The Flux controllers that the environment needs."""
    return CONTROLLERS + (("helm-controller",) if "HelmRelease" in graph.kinds() else ())


def plan_tools(names: tuple[str, ...]) -> Plan:
    """What must be there before the repository can be rendered."""
    return (InstallTools(names),)


def plan_up(
    graph: Graph, source: Source, tools: tuple[str, ...], timeout: float, check: Check | None = None, *, recreate: bool = False
) -> Plan:
    """From nothing, or from anything that an earlier run left, to everything Ready at `source`.

    `check` must find no error before anything is changed, if there is one; `recreate` starts from nothing.
    """
    # Here, since the shorter plans need none of it and are to begin at once.
    from devloop.model.kubernetes.workload_images import workload_images
    from devloop.steps.flux import InstallFlux, StartControllers
    from devloop.steps.git import PushSnapshot, ServeGit
    from devloop.steps.images import LoadImages
    from devloop.steps.secrets import InjectKeys, OpenSecrets
    from devloop.steps.sync import ConfigureSync
    from devloop.steps.validation import Validate
    from devloop.steps.wait import AwaitReady

    names = controllers(graph)
    sound = ("tools", "secrets", *(("validation",) if check else ()))
    ground = (*sound, *(("delete",) if recreate else ()))
    return (
        *((Validate(check),) if check else ()),
        InstallTools(tools, title="tools"),
        OpenSecrets(graph.encrypted),
        *((DeleteEnvironment(for_good=False, needs=sound),) if recreate else ()),
        CreateCluster(needs=ground),
        LoadImages(workload_images(graph), names, needs=ground),
        ServeGit(needs=ground),
        PushSnapshot(source, needs=("git server",)),
        InstallFlux(names, needs=("cluster",)),
        StartControllers(names, needs=("flux", "images")),
        InjectKeys(graph, needs=("flux",)),
        ConfigureSync(graph, source, needs=("flux", "keys", "push", "images")),
        CompleteCluster(needs=("cluster",)),
        AwaitReady(graph, source.revision, timeout, needs=("sync", "controllers", "nodes")),
    )


def plan_status(*, follow: bool) -> Plan:
    """Look, once or until interrupted; changes nothing."""
    from devloop.steps.status import ShowStatus

    return (ShowStatus(follow),)


def plan_down() -> Plan:
    """Twice is fine."""
    return (DeleteEnvironment(),)
