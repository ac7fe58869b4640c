"""Every substitution variable has an intended value in every environment."""

from collections.abc import Container, Iterator, Mapping

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import FailureKind, Node, NodeState
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, LintContext
from devloop.model.lint.file_index import FileIndex, is_made_up
from devloop.model.messages import join_words

_DEFINE = "define it in spec.postBuild, give it a default like ${NAME:=value}, or write $${NAME} for the literal text"


def undefined(context: LintContext) -> Iterator[Diagnostic]:
    """A variable has neither a value nor a default."""
    for kustomization, failure, location in context.failures:
        if failure.kind is FailureKind.UNDEFINED:
            elsewhere = _other_definitions(context, kustomization, failure.variable)
            hint = f"{elsewhere}; {_DEFINE}" if elsewhere else _DEFINE
            message = "the variable {variable} is not defined for {kustomization}"
            yield kustomization.diagnostic(message, hint=hint, location=location, variable=failure.variable)


def _other_definitions(context: LintContext, kustomization: KustomizationContext, variable: str) -> str:
    """Where other environments define the variable."""
    return ", ".join(
        f"{other.name} defines it in {source}"
        for other in context.environments
        if other is not kustomization.environment and (source := _Variables(other).of(kustomization.id).get(variable))
    )


class _Variables:
    """The variables of the Kustomizations of one environment."""

    def __init__(self, environment: EnvironmentGraph) -> None:
        self.environment = environment.name
        self._nodes = environment.graph.by_id
        self._sources: dict[tuple[str, ObjectId], Manifest] = {}
        for node in environment.graph:
            for manifest in node.manifests:
                if manifest.kind in ("ConfigMap", "Secret"):
                    self._sources.setdefault((manifest.kind, manifest.id), manifest)

    def of(self, kustomization: ObjectId) -> dict[str, str]:
        """Where each variable of a Kustomization comes from; the key '' means that one of its sources is missing."""
        node = self._nodes.get(kustomization)
        post_build = mapping_at(node.kustomization.spec, "postBuild") if node else {}
        found: dict[str, str] = {}
        for reference in post_build.get("substituteFrom") or ():
            kind, source = str(reference.get("kind")), ObjectId(kustomization.namespace, str(reference.get("name")))
            manifest = self._sources.get((kind, source))
            found |= dict.fromkeys(_keys(manifest) if manifest else [""], f"{kind} {source}")
        return found | {str(key): f"Kustomization {kustomization}" for key in mapping_at(post_build, "substitute")}


def _keys(manifest: Manifest) -> list[str]:
    return [str(key) for field in ("data", "stringData") for key in manifest.mapping(field)]


def default_hides(context: LintContext) -> Iterator[Diagnostic]:
    """A default applies although other environments define the variable."""
    scopes = [_Variables(environment) for environment in context.environments] if len(context.environments) > 1 else []
    for environment, own in zip(context.environments, scopes, strict=False):
        for kustomization in environment.kustomizations:
            known = own.of(kustomization.id)
            others = {other.environment: other.of(kustomization.id) for other in scopes if other is not own}
            if "" not in known and kustomization.spec.get("postBuild"):
                yield from _hidden(context.files, kustomization, known, others)


def _hidden(
    files: FileIndex, kustomization: KustomizationContext, known: Container[str], others: Mapping[str, Container[str]]
) -> Iterator[Diagnostic]:
    for path in kustomization.node.files:
        for variable in files.variables.get(path, ()):
            defining = sorted(name for name, variables in others.items() if variable.name in variables)
            if variable.default and variable.name not in known and defining:
                yield kustomization.diagnostic(
                    "the default of {variable} applies here, but {environments} " + ("define it" if len(defining) > 1 else "defines it"),
                    hint="define it here too, or keep the default if it is intended",
                    severity=Severity.WARNING if len(defining) == len(others) > 1 else None,
                    location=Location(path, variable.line),
                    variable=variable.name,
                    environments=join_words(defining),
                )


def unused(context: LintContext) -> Iterator[Diagnostic]:
    for environment in context.environments:
        nodes = environment.graph.nodes
        used = _used(nodes, context.files)
        if used is None or any(node.state is not NodeState.BUILT or node.remote for node in nodes):
            continue
        for kustomization, manifest in _sources(environment):
            section = "data" if "data" in manifest.body else "stringData"
            for variable in sorted(set(_keys(manifest)) - used):
                message, hint = "the variable {variable} of {object} is not used", f"remove it, or write ${{{variable}}} where it belongs"
                yield kustomization.about(manifest, message, section, variable, hint=hint, variable=variable)


def _used(nodes: tuple[Node, ...], files: FileIndex) -> set[str] | None:
    """Every variable in every file that a build reads; None if one of the files was not scanned."""
    paths = {path for node in nodes for path in node.files}
    if any(path in files.unreadable or is_made_up(path) for path in paths):
        return None
    return {variable.name for path in paths for variable in files.variables.get(path, ())}


def _sources(environment: EnvironmentGraph) -> Iterator[tuple[KustomizationContext, Manifest]]:
    """The ConfigMaps and Secrets that the environment's Kustomizations take variables from."""
    named = {
        (str(source.get("kind")), node.kustomization.id.namespace, str(source.get("name")))
        for node in environment.graph
        for source in mapping_at(node.kustomization.spec, "postBuild").get("substituteFrom") or ()
    }
    for kustomization in environment.kustomizations if named else ():
        for manifest in kustomization.node.manifests:
            if (manifest.kind, manifest.namespace, manifest.name) in named:
                yield kustomization, manifest


RULES: Rules = {
    "substitution/undefined": Rule(
        undefined,
        Severity.ERROR,
        "Flux rejects variables that have neither a value nor a default",
        "define the variable in spec.postBuild or in a substituteFrom source, or give it a default",
    ),
    "substitution/default-hides": Rule(
        default_hides,
        Severity.INFO,
        "a default that was meant for one environment hides that another environment is missing the variable",
        "define the variable in every environment, or in none",
    ),
    "substitution/unused": Rule(
        unused, Severity.INFO, "changing an unused variable has no effect, which surprises people", "remove the variable"
    ),
}
