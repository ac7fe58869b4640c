"""The table of contents of the product: which steps a command takes, and which of them wait for which. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.steps import Output, Step
from devloop.steps.cluster import CompleteCluster, CreateCluster, DeleteEnvironment
from devloop.steps.flux import InstallFlux, StartControllers
from devloop.steps.git import PushSnapshot, ServeGit
from devloop.steps.images import LoadImages
from devloop.steps.repository import BuildGraph, TakeSnapshot
from devloop.steps.secrets import InjectKeys, OpenSecrets
from devloop.steps.status import ShowStatus
from devloop.steps.sync import ConfigureSync
from devloop.steps.tools import InstallTools
from devloop.steps.validation import CheckDependencies, Validate
from devloop.steps.wait import AwaitReady

if TYPE_CHECKING:
    from devloop.model.cluster.environment import Source
    from devloop.model.flux.graph import Graph


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which they could run one by one; raises ValueError, a bug, for a need that comes later or never."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        known: set[str] = set()
        for step in self.steps:
            if missing := [need.title for need in step.needs if need.title not in known]:
                raise ValueError(f"the step {step.title} needs {', '.join(missing)}, which the plan does not have before it")
            if step.title in known:
                raise ValueError(f"two steps are called {step.title}")
            known.add(step.title)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)


def plan_up(source: Output[Source], timeout: float, *, validate: bool = True, allow_remote: bool = False, recreate: bool = False) -> Plan:
    """From nothing, or from anything that an earlier run left, to everything Ready at the snapshot, which goes to `source`.

    `validate` refuses what has errors before anything is changed; `recreate` starts from nothing; `timeout` in seconds.
    """
    # Here, since the shorter plans need none of it and should start at once.
    graph: Output[Graph] = Output()
    toolchain = InstallTools()
    repository = BuildGraph(graph, allow_remote, needs=(toolchain,))
    validation = (Validate if validate else CheckDependencies)(graph, needs=(repository,))
    snapshot = TakeSnapshot(graph, source, needs=(repository,))
    tools = InstallTools(graph, title="tools", needs=(repository,))
    secrets = OpenSecrets(graph, needs=(repository,))
    checked = (validation, snapshot, tools, secrets)

    deletion = (DeleteEnvironment(for_good=False, needs=checked),) if recreate else ()
    ground = (*checked, *deletion)
    cluster = CreateCluster(needs=ground)
    images = LoadImages(graph, needs=ground)
    git_server = ServeGit(needs=ground)
    push = PushSnapshot(source, needs=(git_server,))
    flux = InstallFlux(graph, needs=(cluster,))
    controllers = StartControllers(graph, needs=(flux, images))
    keys = InjectKeys(graph, needs=(flux,))
    sync = ConfigureSync(graph, source, needs=(flux, keys, push, images))
    nodes = CompleteCluster(needs=(cluster,))
    ready = AwaitReady(graph, source, timeout, needs=(sync, controllers, nodes))
    return Plan((toolchain, repository, *ground, cluster, images, git_server, push, flux, controllers, keys, sync, nodes, ready))


def plan_status(*, follow: bool) -> Plan:
    """Look, once or until interrupted; changes nothing."""
    return Plan((ShowStatus(follow),))


def plan_down() -> Plan:
    """Twice is fine."""
    return Plan((DeleteEnvironment(),))
