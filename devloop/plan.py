"""The steps of each command, and which of them need which. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devloop.steps import Output, Step
from devloop.steps.build import RunBuildCommands
from devloop.steps.cluster import CheckRunning, CompleteCluster, CreateCluster, DeleteEnvironment, LoadImages, StopEnvironment
from devloop.steps.feed import OpenFeed
from devloop.steps.flux import ConfigureSync, InstallFlux, LeaveUnaffected, StartControllers
from devloop.steps.repository import BuildGraph, PushSnapshot, ServeGit, TakeSnapshot
from devloop.steps.secrets import InjectKeys, OpenSecrets
from devloop.steps.status import ShowStatus
from devloop.steps.tools import InstallTools
from devloop.steps.validation import CheckDependencies, Validate
from devloop.steps.wait import AwaitReady

if TYPE_CHECKING:
    from devloop.flux.feed import Feed
    from devloop.model.cluster.environment import Source
    from devloop.model.flux.graph import Graph
    from devloop.model.kubernetes.objects import ObjectId


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which they could run one by one; raises ValueError (a bug) if a step needs a later or a missing one."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        known: set[str] = set()
        for step in self.steps:
            if missing := [need.title for need in step.needs if need.title not in known]:
                raise ValueError(f"the step {step.title} needs {', '.join(missing)}, which no earlier step of the plan is")
            if step.title in known:
                raise ValueError(f"two steps are called {step.title}")
            known.add(step.title)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)


def plan_up(
    source: Output[Source],
    timeout: float,
    *,
    validate: bool = True,
    allow_remote: bool = False,
    recreate: bool = False,
    resumes: bool = False,
) -> Plan:
    """From any state to everything Ready at the snapshot, which is written to `source`.

    `validate` stops at errors before anything changes; `recreate` deletes the environment first; `timeout` in seconds. With
    `resumes`, the stopped environment starts while the repository is checked.
    """
    graph: Output[Graph] = Output()
    toolchain = InstallTools()
    repository = BuildGraph(graph, allow_remote, needs=(toolchain,))
    validation = (Validate if validate else CheckDependencies)(graph, needs=(repository,))
    snapshot = TakeSnapshot(graph, source, needs=(repository,))
    tools = InstallTools(graph, title="tools", needs=(repository,))
    secrets = OpenSecrets(graph, needs=(repository,))
    checked = (validation, snapshot, tools, secrets)

    deletion = (DeleteEnvironment(for_good=False, needs=checked),) if recreate else ()
    prepared = (*checked, *deletion)
    start = (toolchain,) if resumes and not recreate else prepared
    cluster = CreateCluster(needs=start)
    git_server = ServeGit(needs=start)
    images = LoadImages(graph, needs=prepared)
    push = PushSnapshot(source, needs=(git_server, *prepared))
    flux = InstallFlux(graph, needs=(cluster, *prepared))
    controllers = StartControllers(graph, needs=(flux, images))
    keys = InjectKeys(graph, needs=(flux,))
    sync = ConfigureSync(graph, source, needs=(flux, keys, push, images))
    nodes = CompleteCluster(needs=(cluster,))
    ready = AwaitReady(graph, source, timeout, needs=(sync, controllers, nodes))
    return Plan((toolchain, repository, *prepared, cluster, git_server, images, push, flux, controllers, keys, sync, nodes, ready))


def plan_sync(
    source: Output[Source],
    feed: Output[Feed],
    timeout: float,
    *,
    validate: bool = True,
    allow_remote: bool = False,
    push_anyway: bool | None = None,
    whole: bool = False,
) -> Plan:
    """From an edit to everything Ready at the snapshot, in an environment that is up; `feed` is kept open.

    Flux reconciles what the edit affects, with `whole` everything. Nothing is pushed that `validate` refuses, unless `push_anyway`, an
    option of `watch` (None for `sync`).
    """
    graph: Output[Graph] = Output()
    running = CheckRunning()
    build = RunBuildCommands(needs=(running,))
    toolchain = InstallTools(needs=(build,))
    follow = OpenFeed(feed, needs=(running,))
    repository = BuildGraph(graph, allow_remote, needs=(toolchain,))
    override = ("sync", "--no-validate") if push_anyway is None else ("watch", "--push-anyway")
    rules = Validate(graph, *override, needs=(repository,))
    validation: Step = rules if validate else CheckDependencies(graph, needs=(repository,))
    snapshot = TakeSnapshot(graph, source, needs=(repository,))
    secrets = OpenSecrets(graph, needs=(repository,))
    checked = (snapshot, secrets) if push_anyway else (validation, snapshot, secrets)

    images = LoadImages(graph, needs=checked)
    keys = InjectKeys(graph, needs=checked)
    unaffected: Output[frozenset[ObjectId]] = Output()
    # Last, since Flux should get the snapshot then.
    affected = () if whole else (LeaveUnaffected(graph, source, unaffected, needs=(images, keys)),)
    push = PushSnapshot(source, needs=affected or checked)
    sync = ConfigureSync(graph, source, None if whole else unaffected, needs=(keys, push, images))
    ready = AwaitReady(graph, source, timeout, feed, needs=(sync, follow))
    prepared = (running, build, toolchain, follow, repository, validation, snapshot, secrets)
    return Plan((*prepared, images, keys, *affected, push, sync, ready))


def plan_status(*, follow: bool) -> Plan:
    return Plan((ShowStatus(follow),))


def plan_down(title: str = "delete", subject: str = "") -> Plan:
    """`subject` says what is deleted, where the title does not."""
    return Plan((DeleteEnvironment(subject, title=title),))


def plan_stop(title: str = "stop", subject: str = "") -> Plan:
    """`subject` says what is stopped, where the title does not."""
    return Plan((StopEnvironment(subject, title=title),))
