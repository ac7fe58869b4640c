"""Bases do not depend on what builds on them, and distributions and clusters do not depend on each other."""

import posixpath
from collections.abc import Callable, Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import NodeState
from devloop.model.kubernetes.kustomize import KUSTOMIZATION_FILES, is_kustomization_file
from devloop.model.lint.context import LintContext
from devloop.model.lint.file_index import above, is_made_up
from devloop.model.lint.layers import Layer, LayerKind, find_layout

# Whether a layer must not refer to another.
Forbidden = Callable[[Layer, Layer], bool]
_SHARE = "move what both need into a base or into their distribution"


def _references(context: LintContext, kind: LayerKind, is_forbidden: Forbidden, hint: str) -> Iterator[Diagnostic]:
    """Forbidden references from the layers of a kind."""
    layout = find_layout(context.files.paths)
    for reference in context.files.references if layout.roots else ():
        layer, target = layout.layer_of(reference.path), layout.layer_of(reference.target)
        if layer and target and layer.kind is kind and is_forbidden(layer, target):
            arguments = {"layer": layer, "target_layer": target, "path": reference.target}
            yield Diagnostic.of("{layer} refers to {target_layer}: {path}", Location(reference.path, reference.line), hint, **arguments)


def base(context: LintContext) -> Iterator[Diagnostic]:
    """A base refers to a distribution or to a cluster."""
    hint = "let the other layer refer to the base, and keep the differences there"
    yield from _references(context, LayerKind.BASE, lambda _, target: target.kind is not LayerKind.BASE, hint)


def distribution(context: LintContext) -> Iterator[Diagnostic]:
    """A distribution refers to a cluster or to another distribution."""

    def is_forbidden(layer: Layer, target: Layer) -> bool:
        return target.kind is LayerKind.CLUSTER or target.is_other(layer)

    yield from _references(context, LayerKind.DISTRIBUTION, is_forbidden, "move what both need into a base")


def cluster(context: LintContext) -> Iterator[Diagnostic]:
    """A cluster refers to another cluster, or to a second distribution, in a kustomization.yaml or by the path of a Flux Kustomization."""
    seen: dict[str, Layer] = {}

    def is_forbidden(layer: Layer, target: Layer) -> bool:
        if target.kind is LayerKind.DISTRIBUTION:
            return seen.setdefault(layer.name, target).name != target.name
        return target.is_other(layer)

    yield from _references(context, LayerKind.CLUSTER, is_forbidden, _SHARE)
    layout = find_layout(context.files.paths)
    for environment in context.environments:
        layer = layout.layer_of(environment.environment.entry_path)
        for kustomization in environment.kustomizations if layer and layer.kind is LayerKind.CLUSTER else ():
            path = kustomization.node.directory
            target = layout.layer_of(path)
            if layer and target and target.is_other(layer):
                message = "{layer} applies {path} of {target_layer}: the path of {kustomization}"
                yield kustomization.diagnostic(message, "path", hint=_SHARE, layer=layer, path=path, target_layer=target)


def unreachable(context: LintContext) -> Iterator[Diagnostic]:
    """Folders with a kustomization.yaml that no environment uses; reported only if every environment could be read completely."""
    if context.problems or not context.environments or not _is_complete(context):
        return
    used = {folder for kustomization in context.kustomizations for path in kustomization.node.files for folder in above(path)}
    sources = [environment.environment.definition.source_directory for environment in context.environments]
    unused = {
        posixpath.dirname(path)
        for path in context.files.paths
        if is_kustomization_file(path) and not is_made_up(path) and any(_is_below(path, source) for source in sources)
    } - used
    for folder in sorted(unused):
        if unused.isdisjoint(above(folder)):
            name = next(name for name in KUSTOMIZATION_FILES if f"{folder}/{name}" in context.files.paths)
            hint = "refer to it, remove it, or exempt it in devloop.yaml with a reason"
            yield Diagnostic.of("no environment uses {folder}", Location(f"{folder}/{name}", 1), hint, folder=folder)


def _is_below(path: str, folder: str) -> bool:
    return posixpath.normpath(folder) == "." or path.startswith(posixpath.normpath(folder) + "/")


def _is_complete(context: LintContext) -> bool:
    """Every environment is loaded, and no part of it is hidden."""
    hidden = (NodeState.FAILED, NodeState.UNKNOWN)
    nodes = ((kustomization.node.state, kustomization.node.kustomization.source.kind) for kustomization in context.kustomizations)
    return context.whole and not any(state in hidden or (state, kind) == _ARTIFACT for state, kind in nodes)


# Built from the repository, but not by devloop: it may use any file.
_ARTIFACT = (NodeState.FOREIGN, "ExternalArtifact")


RULES: Rules = {
    "layers/base": Rule(
        base,
        Severity.WARNING,
        "a base that depends on one cluster cannot be reused by the next",
        "reverse the reference: clusters and distributions refer to bases",
    ),
    "layers/distribution": Rule(
        distribution,
        Severity.WARNING,
        "a change for one distribution or cluster unexpectedly changes another",
        "move what both need into a base",
    ),
    "layers/cluster": Rule(
        cluster,
        Severity.WARNING,
        "a change for one cluster also reaches another",
        "refer only to bases and to the cluster's own distribution",
    ),
    "layers/unreachable": Rule(
        unreachable,
        Severity.INFO,
        "folders that no cluster applies look as if they were deployed, and go stale",
        "remove the folder, or refer to it",
    ),
}
