"""Variables have a value in every environment, one that somebody meant."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import Node, NodeState
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, LintContext
from devloop.model.lint.file_index import FileIndex, is_made_up

_DEFINE = "define it in spec.postBuild, give it a default like ${NAME:=value}, or write $${NAME} for the text itself"


def undefined(subject: LintContext) -> Iterator[Diagnostic]:
    """A variable has neither value nor default."""
    for unit, failure, place in subject.failures:
        if failure.kind == "undefined":
            elsewhere = _definers(subject, unit, failure.variable)
            hint = f"{elsewhere}; {_DEFINE}" if elsewhere else _DEFINE
            yield unit.diagnostic(f"{failure.message} for {unit.node.kustomization.id}", hint=hint, place=place)


def _definers(subject: LintContext, unit: KustomizationContext, name: str) -> str:
    """Where other environments define the variable."""
    found = []
    for inspected in subject.environments if name else ():
        if inspected is not unit.inspected and (source := _Variables(inspected).of(unit.node.kustomization.id).get(name)):
            found.append(f"{inspected.environment.name} has it from {source}")
    return ", ".join(found)


class _Variables:
    """What the Kustomizations of one environment can substitute."""

    def __init__(self, inspected: EnvironmentGraph) -> None:
        self.environment = inspected.environment.name
        self._nodes = inspected.graph.by_id
        self._sources: dict[tuple[str, ObjectId], Manifest] = {}
        for node in inspected.graph:
            for manifest in node.manifests:
                if manifest.kind in ("ConfigMap", "Secret"):
                    self._sources.setdefault((manifest.kind, manifest.id), manifest)

    def of(self, name: ObjectId) -> dict[str, str]:
        """The names of a Kustomization's variables and where each comes from; '' among them says that a source of them is not there."""
        node = self._nodes.get(name)
        post_build = mapping_at(node.kustomization.spec, "postBuild") if node else {}
        found: dict[str, str] = {}
        for reference in post_build.get("substituteFrom") or ():
            kind, source = str(reference.get("kind")), ObjectId(name.namespace, str(reference.get("name")))
            manifest = self._sources.get((kind, source))
            found |= dict.fromkeys(_keys(manifest) if manifest else [""], f"{kind} {source}")
        return found | {str(key): f"Kustomization {name}" for key in mapping_at(post_build, "substitute")}


def _keys(manifest: Manifest) -> list[str]:
    fields: list[Any] = [manifest.body.get("data"), manifest.body.get("stringData")]
    return [str(key) for values in fields if isinstance(values, Mapping) for key in values]


def default_hides(subject: LintContext) -> Iterator[Diagnostic]:
    """A default takes the place of a variable that other environments define."""
    scopes = [_Variables(inspected) for inspected in subject.environments] if len(subject.environments) > 1 else []
    for inspected, own in zip(subject.environments, scopes, strict=False):
        for unit in inspected.units:
            name = unit.node.kustomization.id
            known = own.of(name)
            others = {other.environment: other.of(name) for other in scopes if other is not own}
            if "" not in known and unit.node.kustomization.spec.get("postBuild"):
                yield from _hidden(subject.files, unit, known, others)


def _hidden(
    files: FileIndex, unit: KustomizationContext, known: Container[str], others: Mapping[str, Container[str]]
) -> Iterator[Diagnostic]:
    for path in unit.node.files:
        for variable in files.variables.get(path, ()):
            having = sorted(name for name, variables in others.items() if variable.name in variables)
            if variable.default and variable.name not in known and having:
                verb = "define" if len(having) > 1 else "defines"
                message = f"the default of {variable.name} is in force where {' and '.join(having)} {verb} it"
                severity = Severity.WARNING if len(having) == len(others) > 1 else None
                hint = "define it here too, or leave it where the default is meant"
                yield unit.diagnostic(message, hint=hint, severity=severity, place=Location(path, variable.line))


def unused(subject: LintContext) -> Iterator[Diagnostic]:
    """A variable that nothing of its environment uses."""
    for inspected in subject.environments:
        nodes = inspected.graph.nodes
        used = _used(nodes, subject.files)
        if used is None or any(node.state is not NodeState.BUILT or node.remote for node in nodes):
            continue
        for unit, manifest in _sources(inspected):
            section = "data" if "data" in manifest.body else "stringData"
            for key in sorted(set(_keys(manifest)) - used):
                message = f"the variable {key} of the {manifest.kind} {manifest.name} is used by nothing"
                yield unit.about(manifest, message, section, key, hint="remove it, or write ${" + key + "} where it belongs")


def _used(nodes: tuple[Node, ...], files: FileIndex) -> set[str] | None:
    """Every name in every file that a build read; None where one of them was not looked into."""
    paths = {path for node in nodes for path in node.files}
    if any(path in files.unreadable or is_made_up(path) for path in paths):
        return None
    return {variable.name for path in paths for variable in files.variables.get(path, ())}


def _sources(inspected: EnvironmentGraph) -> Iterator[tuple[KustomizationContext, Manifest]]:
    """What the environment's Kustomizations take variables from."""
    named = {
        (str(source.get("kind")), node.kustomization.id.namespace, str(source.get("name")))
        for node in inspected.graph
        for source in mapping_at(node.kustomization.spec, "postBuild").get("substituteFrom") or ()
    }
    for unit in inspected.units if named else ():
        for manifest in unit.node.manifests:
            if (manifest.kind, manifest.namespace, manifest.name) in named:
                yield unit, manifest


RULES: Rules = {
    "substitution/undefined": Rule(
        undefined,
        Severity.ERROR,
        "Flux refuses variables that have neither a value nor a default",
        "define the variable in spec.postBuild or in what substituteFrom names, or give it a default",
    ),
    "substitution/default-hides": Rule(
        default_hides,
        Severity.INFO,
        "a default that was meant for one environment hides that another forgot the variable",
        "define the variable in every environment, or in none",
    ),
    "substitution/unused": Rule(
        unused,
        Severity.INFO,
        "whoever changes a variable that nothing uses waits for an effect that never comes",
        "remove the variable",
    ),
}
