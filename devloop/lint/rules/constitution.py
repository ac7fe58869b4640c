"""What a GitOps platform promises: Git alone changes it, SOPS keeps its secrets, YAML declares it, and something watches it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import KUSTOMIZE_GROUP, is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, LintContext
from devloop.model.lint.inventory import inventories

# Commands that change a cluster; those that only look, wait or try out do not.
_TRIED_OUT = r"\b(?![^|;&\n]*--dry-run)"
_IMPERATIVE = re.compile(
    r"\b(?:kubectl|oc)\s(?:[^|;&\n]*?\s)?(apply|create|patch|delete|replace|scale|label|annotate|set|drain|cordon)" + _TRIED_OUT + "|"
    r"\bhelm\s(?:[^|;&\n]*?\s)?(install|upgrade|uninstall|rollback)" + _TRIED_OUT
)
_DISABLED = f"{KUSTOMIZE_GROUP}/reconcile"

# API groups, kinds and names that watch a cluster.
_MONITORING_GROUPS = (
    "monitoring.coreos.com",
    "operator.victoriametrics.com",
    "grafana.integreatly.org",
    "monitoring.grafana.com",
    "coroot.com",
)
_MONITORING = re.compile(
    r"(?i)\b(monitor(ing)?|prometheus|alertmanager|grafana|victoria-?metrics|vmagent|thanos|mimir|loki|tempo|coroot|datadog|newrelic|dynatrace"
    r"|opentelemetry|otel|zabbix|netdata|signoz|observability|alloy|gatus)\b"
)
# API groups, kinds and names that say what a cluster lets in.
_POLICY_GROUPS = ("kyverno.io", "gatekeeper.sh", "kubewarden.io", "policies.kyverno.io", "k8s.styra.com")
_POLICY_KINDS = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "PolicyRule")
_POLICY = re.compile(r"(?i)\b(kyverno|gatekeeper|kubewarden|open-?policy-?agent|opa|jspolicy|datree|polaris)\b")

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def gitops_first(subject: LintContext) -> Iterator[Diagnostic]:
    """Something changes the cluster past Git, or Git past the cluster."""
    for unit, manifest in subject.manifests:
        yield from _imperative(unit, manifest)
        yield from _suspended(unit, manifest)


def _imperative(unit: KustomizationContext, manifest: Manifest) -> Iterator[Diagnostic]:
    pod = pod_template(manifest)
    for container in pod.containers if pod else ():
        words = [word for key in ("command", "args") for word in _listed(container.body.get(key)) if isinstance(word, str)]
        if found := _IMPERATIVE.search(" ".join(words).replace("\\\n", " ")):
            message = f"{manifest} changes the cluster with {_command(found)}: what it makes is in no commit"
            yield unit.about(manifest, message, *container.field, hint="declare what it makes, and let Flux apply it")


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _command(found: re.Match[str]) -> str:
    """kubectl patch, helm upgrade."""
    return f"{found[0].split()[0]} {found[1] or found[2]}"


def _suspended(unit: KustomizationContext, manifest: Manifest) -> Iterator[Diagnostic]:
    annotations = manifest.mapping("metadata", "annotations")
    if is_flux(manifest.group) and manifest.mapping("spec").get("suspend") is True:
        message = f"{manifest} is suspended: commits do not reach the cluster"
        yield unit.about(manifest, message, "spec", "suspend", hint="remove suspend, or what it holds back")
    elif str(annotations.get(_DISABLED, "")).lower() == "disabled":
        message = f"{manifest} is not reconciled: commits do not reach the cluster"
        yield unit.about(manifest, message, "metadata", "annotations", _DISABLED, hint="remove the annotation, or the object")


def sops(subject: LintContext) -> Iterator[Diagnostic]:
    """An environment has Secrets, and nothing in the repository is encrypted or ever would be."""
    for inspected in subject.environments:
        if not inspected.graph.encrypted and not subject.files.creation_rules:
            secrets = [(unit, manifest) for unit in inspected.units for manifest in unit.node.manifests if _has_values(manifest)]
            for unit, manifest in secrets[:1]:
                more = f", like {len(secrets) - 1} more" if len(secrets) > 1 else ""
                message = f"{manifest} is kept without SOPS{more}: the repository encrypts nothing"
                yield unit.about(manifest, message, hint="write a .sops.yaml with a rule for each environment, and encrypt with it")


def _has_values(manifest: Manifest) -> bool:
    is_secret = manifest.kind == "Secret" and manifest.api_version == "v1" and not manifest.secret and not manifest.release
    return is_secret and any(manifest.body.get(section) for section in ("data", "stringData"))


def declarative(subject: LintContext) -> Iterator[Diagnostic]:
    """Programs travel among the manifests."""
    for unit, manifest in subject.manifests:
        if manifest.kind == "ConfigMap" and manifest.api_version == "v1":
            for section, key, what in _programs(manifest.body):
                message = f"{manifest} carries {what}: {key}"
                yield unit.about(manifest, message, section, key, hint="put it into the image that runs it, with a version of its own")


def _programs(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for section, what in (("binaryData", "a binary"), ("data", "a script")):
        values = body.get(section)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if section == "binaryData" or str(value).startswith("#!/"):
                yield section, str(key), what


def monitoring(subject: LintContext) -> Iterator[Diagnostic]:
    """Nothing of an environment watches it."""
    yield from _absent(
        subject, _monitors, "nothing that the environment applies monitors its cluster", "add alerts, and something that evaluates them"
    )


def policies(subject: LintContext) -> Iterator[Diagnostic]:
    """Nothing of an environment, and no PolicyRule of the repository, says what it lets in."""
    if subject.files.policy_rules:
        return
    hint = "add a ValidatingAdmissionPolicy with a binding, which needs no controller, or a policy engine"
    yield from _absent(subject, _restricts, "no policy of the environment says what its cluster admits", hint)


def _absent(subject: LintContext, is_it: Callable[[Manifest], bool], message: str, hint: str) -> Iterator[Diagnostic]:
    """Told only of an environment that can be seen as a whole and has workloads to watch over."""
    for inventory in inventories(subject):
        manifests = [manifest for found in inventory.objects.values() for _, manifest in found]
        if inventory.whole and any(map(_is_workload, manifests)) and not any(map(is_it, manifests)):
            yield inventory.inspected.diagnostic(message, _definition(inventory.inspected), hint=hint)


def _definition(inspected: EnvironmentGraph) -> Location:
    return Location(inspected.environment.definition.path, 1)


def _is_workload(manifest: Manifest) -> bool:
    return manifest.kind in _WORKLOADS or is_helm_release(manifest)


def _monitors(manifest: Manifest) -> bool:
    if manifest.group.endswith(_MONITORING_GROUPS):
        return True
    return _is_workload(manifest) and bool(_MONITORING.search(_called(manifest)))


def _restricts(manifest: Manifest) -> bool:
    group = manifest.group
    if manifest.kind in _POLICY_KINDS or (not is_built_in(group) and group.endswith(_POLICY_GROUPS)):
        return True
    return is_helm_release(manifest) and bool(_POLICY.search(_called(manifest)))


def _called(manifest: Manifest) -> str:
    """Its name, its labels, and the chart of a HelmRelease."""
    labels = manifest.mapping("metadata", "labels")
    chart = manifest.mapping("spec", "chart", "spec").get("chart", "") if is_helm_release(manifest) else ""
    return " ".join(map(str, (manifest.name, chart, *labels.values())))


RULES: Rules = {
    "constitution/gitops-first": Rule(
        gitops_first,
        Severity.INFO,
        "what changes a cluster past Git is lost with the cluster, and what Git changes past the cluster surprises later",
        "let every change be a commit that Flux applies",
    ),
    "constitution/sops": Rule(
        sops,
        Severity.WARNING,
        "without SOPS a Secret is either in clear or not in the repository at all",
        "encrypt Secrets with SOPS and Age, with a recipient for each environment",
    ),
    "constitution/declarative": Rule(
        declarative,
        Severity.INFO,
        "a script or a binary in a manifest has no version, no test and no scan of its own",
        "ship programs in images, and declare what they are to do",
    ),
    "constitution/monitoring": Rule(
        monitoring,
        Severity.INFO,
        "what nobody watches fails unseen",
        "render monitoring with alert rules in every environment",
    ),
    "constitution/policies": Rule(
        policies,
        Severity.INFO,
        "a convention that nothing enforces is broken sooner or later",
        "render admission policies in every environment",
    ),
}
