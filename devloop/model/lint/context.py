"""What rules look at: every environment with its graph, the repository's files, its settings, and what the worker judged. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from devloop.diagnostic import Diagnostic, FieldStep, Location, Scope, Severity
from devloop.hint import Hint
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Failure, Graph, Node, NodeState
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.file_index import FileIndex
from devloop.model.lint.settings import Settings
from devloop.model.lint.worker_results import WorkerResults

T = TypeVar("T")


@dataclass(frozen=True)
class EnvironmentGraph:
    """One environment and all that it renders."""

    environment: Environment
    graph: Graph

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def units(self) -> tuple[KustomizationContext, ...]:
        return tuple(KustomizationContext(self, node) for node in self.graph)

    def diagnostic(self, template: str, place: Location, /, *, hint: Hint = "", **arguments: object) -> Diagnostic:
        """A problem of the environment as a whole; the template may name {environment} and `arguments`."""
        return Diagnostic.of(template, place, hint, None, (Scope(self.name),), environment=self.name, **arguments)


@dataclass(frozen=True)
class KustomizationContext:
    """One Kustomization of one environment. Its diagnostics know their scope; the line is looked up later."""

    inspected: EnvironmentGraph
    node: Node

    @property
    def id(self) -> ObjectId:
        return self.node.kustomization.id

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.node.kustomization.spec

    def place(self, *field: FieldStep) -> Location:
        """A field of the Kustomization's spec, or the Kustomization itself."""
        keys = ("spec", *field) if field else ()
        return Location(self.node.origin.path, self.node.origin.line, KUSTOMIZATION, self.id.name, keys, self.id.namespace)

    def diagnostic(
        self,
        template: str,
        /,
        *field: FieldStep,
        hint: Hint = "",
        severity: Severity | None = None,
        place: Location | None = None,
        **arguments: object,
    ) -> Diagnostic:
        """A problem with `field` of the Kustomization's spec, or at `place`; the template may name {kustomization} and `arguments`."""
        scope = Scope(self.inspected.name, str(self.id))
        return Diagnostic.of(template, place or self.place(*field), hint, severity, (scope,), kustomization=self.id, **arguments)

    def about(
        self,
        manifest: Manifest,
        template: str,
        /,
        *field: FieldStep,
        hint: Hint = "",
        severity: Severity | None = None,
        **arguments: object,
    ) -> Diagnostic:
        """A problem with a field, from the top, of an object that the Kustomization renders; the template may name {object} too."""
        place = place_of(manifest, *field)
        return self.diagnostic(template, hint=hint, severity=severity, place=place, object=manifest, **arguments)


def place_of(manifest: Manifest, *field: FieldStep) -> Location:
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
    problems: tuple[Diagnostic, ...] = ()
    today: date = date.min
    whole: bool = False
    _known: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def once(self, look: Callable[[LintContext], T]) -> T:
        """A result that several rules share, computed once; `look` must depend on the context only."""
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

    def kustomization_files(self, rule: str) -> Iterator[tuple[KustomizationContext, Diagnostic]]:
        """What is odd in kustomization files, each with the Kustomizations that read the file."""
        wanted = [issue for issue in self.judgements.kustomization_files if issue.rule == rule]
        for unit in self.units if wanted else ():
            files = frozenset(unit.node.files)
            for issue in wanted:
                if issue.path in files:
                    yield unit, issue
