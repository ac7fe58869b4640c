"""What rules look at: every environment with its graph, the repository's files, its settings, and what the worker judged. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from devloop.errors import Problem
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Failure, Graph, Node, NodeState
from devloop.model.flux.kustomization import KIND
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.file_index import FileIndex
from devloop.model.lint.location import Fault, Location, Step
from devloop.model.lint.schema_errors import KustomizationFileIssue
from devloop.model.lint.settings import Settings
from devloop.model.lint.worker_results import WorkerResults
from devloop.model.report import Severity

T = TypeVar("T")


@dataclass(frozen=True)
class EnvironmentGraph:
    """One environment and all that it renders."""

    environment: Environment
    graph: Graph

    @property
    def units(self) -> tuple[KustomizationContext, ...]:
        return tuple(KustomizationContext(self, node) for node in self.graph)

    def fault(self, message: str, place: Location, *, hint: str = "", severity: Severity | None = None) -> Fault:
        """What is wrong with the environment as a whole."""
        return Fault(message, place, hint, severity, self.environment.name)


@dataclass(frozen=True)
class KustomizationContext:
    """One Kustomization of one environment. Its two kinds of fault know where they stand; the line is looked up later."""

    inspected: EnvironmentGraph
    node: Node

    def place(self, *field: Step) -> Location:
        """A field of the Kustomization's spec, or the Kustomization itself."""
        name = self.node.kustomization.id
        return Location(self.node.origin.path, self.node.origin.line, KIND, name.name, ("spec", *field) if field else (), name.namespace)

    def fault(self, message: str, *field: Step, hint: str = "", severity: Severity | None = None, place: Location | None = None) -> Fault:
        """Something is wrong with the Kustomization: with `field` of its spec, or at `place`."""
        name = str(self.node.kustomization.id)
        return Fault(message, place or self.place(*field), hint, severity, self.inspected.environment.name, name)

    def about(self, manifest: Manifest, message: str, *field: Step, hint: str = "", severity: Severity | None = None) -> Fault:
        """Something is wrong with an object that the Kustomization renders; `field` counts from the top of the object."""
        return self.fault(message, hint=hint, severity=severity, place=place_of(manifest, *field))


def place_of(manifest: Manifest, *field: Step) -> Location:
    """A field of the object in the file that it came from."""
    return Location(manifest.origin.path, manifest.origin.line, manifest.kind, manifest.name, field, manifest.namespace)


@dataclass(frozen=True)
class LintContext:
    """`problems` are what keeps definitions from being loaded, `today` is the day that expiry dates are compared with.

    `whole` says that `environments` and `problems` are all there are in the repository.
    """

    environments: tuple[EnvironmentGraph, ...] = ()
    files: FileIndex = FileIndex()
    settings: Settings = Settings()
    judgements: WorkerResults = WorkerResults()
    problems: tuple[Problem, ...] = ()
    today: date = date.min
    whole: bool = False
    _known: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def once(self, look: Callable[[LintContext], T]) -> T:
        """What several rules look at, worked out for the first that asks; `look` is a function of the subject alone."""
        if look not in self._known:
            self._known[look] = look(self)
        known: T = self._known[look]
        return known

    @property
    def units(self) -> Iterator[KustomizationContext]:
        """Every Kustomization of every environment."""
        for inspected in self.environments:
            yield from inspected.units

    @property
    def manifests(self) -> Iterator[tuple[KustomizationContext, Manifest]]:
        """Every rendered object with the Kustomization that renders it."""
        for unit in self.units:
            for manifest in unit.node.manifests:
                yield unit, manifest

    @property
    def failures(self) -> Iterator[tuple[KustomizationContext, Failure, Location]]:
        """Every build that failed, and where."""
        for unit in self.units:
            failure = unit.node.failure
            if failure and unit.node.state is NodeState.FAILED:
                yield unit, failure, Location(failure.path, failure.line) if failure.path else unit.place()

    def file_issues(self, code: str) -> Iterator[tuple[KustomizationContext, KustomizationFileIssue]]:
        """What is odd in kustomization files, each with the Kustomizations that read the file."""
        wanted = [issue for issue in self.judgements.oversights if issue.code == code]
        for unit in self.units if wanted else ():
            files = frozenset(unit.node.files)
            for issue in wanted:
                if issue.path in files:
                    yield unit, issue
