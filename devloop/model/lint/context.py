"""The input of rules: every environment with its graph, the repository's files and settings, and the worker's results. No I/O."""

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
    """One environment and everything that it renders."""

    environment: Environment
    graph: Graph

    @property
    def name(self) -> str:
        return self.environment.name

    @property
    def kustomizations(self) -> tuple[KustomizationContext, ...]:
        return tuple(KustomizationContext(self, node) for node in self.graph)

    def diagnostic(self, template: str, location: Location, /, *, hint: Hint = "", **arguments: object) -> Diagnostic:
        """A problem of the environment as a whole; the template may name {environment} and `arguments`."""
        return Diagnostic.of(template, location, hint, None, (Scope(self.name),), environment=self.name, **arguments)


@dataclass(frozen=True)
class KustomizationContext:
    """One Kustomization of one environment. Its diagnostics have their scope; lines are added later."""

    environment: EnvironmentGraph
    node: Node

    @property
    def id(self) -> ObjectId:
        return self.node.kustomization.id

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.node.kustomization.spec

    def location(self, *field: FieldStep) -> Location:
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
        location: Location | None = None,
        **arguments: object,
    ) -> Diagnostic:
        """A problem with `field` of the Kustomization's spec, or at `location`; the template may name {kustomization} and `arguments`."""
        scope = Scope(self.environment.name, str(self.id))
        return Diagnostic.of(template, location or self.location(*field), hint, severity, (scope,), kustomization=self.id, **arguments)

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
        location = location_of(manifest, *field)
        return self.diagnostic(template, hint=hint, severity=severity, location=location, object=manifest, **arguments)


def location_of(manifest: Manifest, *field: FieldStep) -> Location:
    """A field of the object in the file that it came from."""
    return Location(manifest.origin.path, manifest.origin.line, manifest.kind, manifest.name, field, manifest.namespace)


@dataclass(frozen=True)
class LintContext:
    """`problems` are the errors of definitions that failed to load; exemptions expire by `today`.

    `whole`: `environments` and `problems` are those of the whole repository.
    """

    environments: tuple[EnvironmentGraph, ...] = ()
    files: FileIndex = FileIndex()
    settings: Settings = Settings()
    worker_results: WorkerResults = WorkerResults()
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
    def kustomizations(self) -> Iterator[KustomizationContext]:
        """Every Kustomization of every environment."""
        for environment in self.environments:
            yield from environment.kustomizations

    @property
    def manifests(self) -> Iterator[tuple[KustomizationContext, Manifest]]:
        """Every rendered object with the Kustomization that renders it."""
        for kustomization in self.kustomizations:
            for manifest in kustomization.node.manifests:
                yield kustomization, manifest

    @property
    def failures(self) -> Iterator[tuple[KustomizationContext, Failure, Location]]:
        """Every failed build with its location."""
        for kustomization in self.kustomizations:
            failure = kustomization.node.failure
            if failure and kustomization.node.state is NodeState.FAILED:
                own = kustomization.location(*failure.field[1:])  # without "spec"
                yield kustomization, failure, Location(failure.path, failure.line) if failure.path else own

    def kustomization_files(self, rule: str) -> Iterator[tuple[KustomizationContext, Diagnostic]]:
        """The issues of kustomization files that a rule reports, each with the Kustomizations that use the file."""
        wanted = [issue for issue in self.worker_results.kustomization_files if issue.rule == rule]
        for kustomization in self.kustomizations if wanted else ():
            files = frozenset(kustomization.node.files)
            for issue in wanted:
                if issue.path in files:
                    yield kustomization, issue
