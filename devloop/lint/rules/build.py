"""Every Kustomization and every chart in the repository builds."""

import posixpath
from collections.abc import Iterator

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.graph import FailureKind, Node, NodeState
from devloop.model.flux.names import HELM_RELEASE
from devloop.model.lint.context import KustomizationContext, LintContext, location_of

# Kinds of failures that another rule reports.
_OTHER_RULES = frozenset({FailureKind.YAML, FailureKind.DUPLICATE, FailureKind.UNDEFINED, FailureKind.MISSING})


def failed(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization, failure, location in context.failures:
        if failure.kind not in _OTHER_RULES:
            message = "{kustomization} does not build: {reason}"
            yield kustomization.diagnostic(message, hint=failure.hint, location=location, reason=failure.message)


def release(context: LintContext) -> Iterator[Diagnostic]:
    """A chart in the repository does not render with the values of its HelmRelease."""
    for kustomization in context.kustomizations:
        for each in kustomization.node.releases:
            if (failure := each.failure) and each.state is NodeState.FAILED:
                manifest = next(m for m in kustomization.node.manifests if m.kind == HELM_RELEASE and m.id == each.id)
                location = Location(failure.path, failure.line) if failure.path else location_of(manifest, *(failure.field or ("spec",)))
                message = "the HelmRelease {release} does not render: {reason}"
                yield kustomization.diagnostic(message, hint=failure.hint, location=location, release=each.id, reason=failure.message)


def dropped_hook(context: LintContext) -> Iterator[Diagnostic]:
    """A hook of a chart in the repository that Helm does not know."""
    for kustomization in context.kustomizations:
        for each in kustomization.node.releases:
            for dropped in each.dropped:
                message, hint = "Helm leaves out {reason}", "correct the annotation helm.sh/hook, or remove it"
                yield kustomization.diagnostic(message, hint=hint, location=Location(dropped.path, dropped.line), reason=dropped.message)


def ignored_field(context: LintContext) -> Iterator[Diagnostic]:
    """An unknown field in a kustomization file: Flux drops it from the root file; kustomize rejects it in all others."""
    for kustomization, issue in context.kustomization_files("build/ignored-field"):
        node = kustomization.node
        if node.state is NodeState.BUILT and posixpath.dirname(issue.path) == posixpath.normpath(node.directory):
            yield kustomization.diagnostic("{reason}", hint=issue.hint, location=issue.location, reason=issue.message)


def patch_without_target(context: LintContext) -> Iterator[Diagnostic]:
    """A patch whose target names an object that no Kustomization with the patch builds."""
    kustomizations = {(each.environment.name, each.id): each for each in context.kustomizations}
    found = [(kustomizations[each.environment, each.kustomization], each) for each in context.worker_results.unmatched_patches]
    unsure = {path for each in kustomizations.values() if found and _is_unsure(each.node) for path in each.node.files}
    unsure_patches = {each.location for kustomization, each in found if _is_unsure(kustomization.node)}
    whole = context.whole and not context.problems
    for kustomization, each in found:
        certain = each.location.path not in unsure and each.location not in unsure_patches
        if certain and (whole or not each.shared or _is_own(kustomization, each.location.path)):
            message, hint = (
                "the patch for {target} changes nothing: no object matches",
                each.hint or "correct the target, or remove the patch",
            )
            yield kustomization.diagnostic(message, hint=hint, location=each.location, target=each.target)


def _is_unsure(node: Node) -> bool:
    """Whether the Kustomization may have objects that were not built."""
    return node.state is not NodeState.BUILT or bool(node.remote)


def _is_own(kustomization: KustomizationContext, path: str) -> bool:
    """Whether the file belongs to the environment alone."""
    entry_path = kustomization.environment.environment.entry_path
    return entry_path == "." or path.startswith(f"{entry_path}/")


RULES: Rules = {
    "build/failed": Rule(
        failed,
        Severity.ERROR,
        "a single error keeps the whole Kustomization from being applied",
        "fix the file that the message names; `kustomize build` of its folder fails with the same error",
    ),
    "build/release": Rule(
        release,
        Severity.ERROR,
        "helm-controller installs nothing from a chart that does not render",
        "fix the template or the values that the message names; `helm template` of the chart with these values fails with the same error",
    ),
    "build/dropped-hook": Rule(
        dropped_hook,
        Severity.WARNING,
        "Helm silently leaves out an object with a hook that it does not know",
        "write a name such as pre-install or post-upgrade in helm.sh/hook",
    ),
    "build/ignored-field": Rule(
        ignored_field,
        Severity.WARNING,
        "Flux silently ignores unknown fields of a kustomization file",
        "correct the field name, or remove the field",
    ),
    "build/patch-without-target": Rule(
        patch_without_target,
        Severity.WARNING,
        "kustomize and Flux silently ignore a patch whose target matches nothing",
        "correct the target, or remove the patch",
    ),
}
