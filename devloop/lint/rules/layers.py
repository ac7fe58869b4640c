"""Bases know nothing of what is built on them, distributions nothing of each other, and no cluster reaches into another."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import NodeState
from devloop.model.kubernetes.kustomize import KUSTOMIZATION_FILES, is_kustomization_file
from devloop.model.lint.context import LintContext
from devloop.model.lint.file_index import Reference, above, is_made_up
from devloop.model.lint.layers import Layer, LayerKind, RepositoryLayout, find_layout

Judgement = Callable[[Layer, Layer], bool]


def _crossings(subject: LintContext, kind: LayerKind, is_wrong: Judgement) -> Iterator[tuple[Reference, Layer, Layer]]:
    """What a layer of the `kind` refers to and should not."""
    layout = find_layout(subject.files.paths)
    for reference in subject.files.references if layout.roots else ():
        source, target = layout.layer_of(reference.path), layout.layer_of(reference.target)
        if source and target and source.kind is kind and is_wrong(source, target):
            yield reference, source, target


def _refers(reference: Reference, source: Layer, target: Layer, hint: str) -> Diagnostic:
    return Diagnostic(f"{source} refers to {target}: {reference.target}", Location(reference.path, reference.line), hint)


def base(subject: LintContext) -> Iterator[Diagnostic]:
    """A base refers to a distribution or to a cluster."""
    for crossing in _crossings(subject, LayerKind.BASE, lambda _, target: target.kind is not LayerKind.BASE):
        yield _refers(*crossing, "let the other refer to the base, and say there what is different")


def distribution(subject: LintContext) -> Iterator[Diagnostic]:
    """A distribution refers to a cluster or to another distribution."""

    def is_wrong(source: Layer, target: Layer) -> bool:
        return target.kind is LayerKind.CLUSTER or target.is_other(source)

    for crossing in _crossings(subject, LayerKind.DISTRIBUTION, is_wrong):
        yield _refers(*crossing, "move what both need into a base")


def cluster(subject: LintContext) -> Iterator[Diagnostic]:
    """A cluster refers to another cluster, or to a second distribution, in a kustomization.yaml or by the path of a Flux Kustomization."""
    seen: dict[str, Layer] = {}

    def is_wrong(source: Layer, target: Layer) -> bool:
        if target.kind is LayerKind.DISTRIBUTION:
            return seen.setdefault(source.name, target).name != target.name
        return target.is_other(source)

    for crossing in _crossings(subject, LayerKind.CLUSTER, is_wrong):
        yield _refers(*crossing, "move what both need into a base or into their distribution")
    yield from _paths_into_other_clusters(subject, find_layout(subject.files.paths))


def _paths_into_other_clusters(subject: LintContext, layout: RepositoryLayout) -> Iterator[Diagnostic]:
    for inspected in subject.environments:
        own = layout.layer_of(inspected.environment.entry_path)
        for unit in inspected.units if own and own.kind is LayerKind.CLUSTER else ():
            target = layout.layer_of(unit.node.directory)
            if own and target and target.is_other(own):
                message = f"{own} applies {unit.node.directory} of {target}: the path of {unit.node.kustomization.id}"
                yield unit.diagnostic(message, "path", hint="move what both need into a base or into their distribution")


def unreachable(subject: LintContext) -> Iterator[Diagnostic]:
    """Folders with a kustomization.yaml that no environment leads to; told only where all environments could be looked at."""
    if subject.problems or not subject.environments or not _all_seen(subject):
        return
    reached = {folder for unit in subject.units for path in unit.node.files for folder in above(path)}
    entries = [inspected.environment.definition.source_directory for inspected in subject.environments]
    lonely = {
        posixpath.dirname(path)
        for path in subject.files.paths
        if is_kustomization_file(path) and not is_made_up(path) and any(_is_below(path, entry) for entry in entries)
    } - reached
    for folder in sorted(lonely):
        if lonely.isdisjoint(above(folder)):
            name = next(name for name in KUSTOMIZATION_FILES if f"{folder}/{name}" in subject.files.paths)
            yield Diagnostic(
                f"no environment leads to {folder}",
                Location(f"{folder}/{name}", 1),
                "refer to it, remove it, or say in devloop.yaml why it is there",
            )


def _is_below(path: str, folder: str) -> bool:
    return posixpath.normpath(folder) == "." or path.startswith(posixpath.normpath(folder) + "/")


def _all_seen(subject: LintContext) -> bool:
    """Every environment was looked at, and nothing of it is hidden."""
    hidden = (NodeState.FAILED, NodeState.UNKNOWN)
    kustomizations = ((unit.node.state, unit.node.kustomization.source.kind) for unit in subject.units)
    return subject.whole and not any(state in hidden or (state, kind) == _ARTIFACT for state, kind in kustomizations)


# Made from the repository, but not here: what it is made of may lie anywhere.
_ARTIFACT = (NodeState.FOREIGN, "ExternalArtifact")


RULES: Rules = {
    "layers/base": Rule(
        base,
        Severity.WARNING,
        "a base that knows one cluster cannot be used by the next",
        "turn the reference around: clusters and distributions refer to bases",
    ),
    "layers/distribution": Rule(
        distribution,
        Severity.WARNING,
        "a change for one distribution or cluster changes another that nobody thought of",
        "move what both need into a base",
    ),
    "layers/cluster": Rule(
        cluster,
        Severity.WARNING,
        "a change that was meant for one cluster reaches another",
        "refer to bases and to the cluster's own distribution only",
    ),
    "layers/unreachable": Rule(
        unreachable,
        Severity.INFO,
        "what no cluster applies looks as if it were in force, and grows old unseen",
        "remove the folder, or refer to it",
    ),
}
