"""The principles of a GitOps platform: only Git changes it, SOPS encrypts its secrets, it is declarative, monitored and has policies."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import KUSTOMIZE_GROUP, is_flux
from devloop.model.kubernetes.api_groups import is_built_in
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.lint.inventory import inventories

# Commands that change a cluster; not those that only read, wait, or do a dry run.
_NO_DRY_RUN = r"\b(?![^|;&\n]*--dry-run)"
_IMPERATIVE = re.compile(
    r"\b(?:kubectl|oc)\s(?:[^|;&\n]*?\s)?(apply|create|patch|delete|replace|scale|label|annotate|set|drain|cordon)" + _NO_DRY_RUN + "|"
    r"\bhelm\s(?:[^|;&\n]*?\s)?(install|upgrade|uninstall|rollback)" + _NO_DRY_RUN
)
_DISABLED = f"{KUSTOMIZE_GROUP}/reconcile"

# API groups and names of monitoring.
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
# API groups, kinds and names of admission policies.
_POLICY_GROUPS = ("kyverno.io", "gatekeeper.sh", "kubewarden.io", "policies.kyverno.io", "k8s.styra.com")
_POLICY_KINDS = ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "PolicyRule")
_POLICY = re.compile(r"(?i)\b(kyverno|gatekeeper|kubewarden|open-?policy-?agent|opa|jspolicy|datree|polaris)\b")

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def gitops_first(context: LintContext) -> Iterator[Diagnostic]:
    """Something changes the cluster outside Git, or changes in Git do not reach the cluster."""
    for kustomization, manifest in context.manifests:
        yield from _imperative(kustomization, manifest)
        yield from _suspended(kustomization, manifest)


def _imperative(kustomization: KustomizationContext, manifest: Manifest) -> Iterator[Diagnostic]:
    pod = pod_template(manifest, any_version=True)
    for container in pod.containers if pod else ():
        lists = [words for key in ("command", "args") if isinstance(words := container.body.get(key), list)]
        line = " ".join(word for words in lists for word in words if isinstance(word, str))
        if match := _IMPERATIVE.search(line.replace("\\\n", " ")):
            message, hint = "{object} changes the cluster with {command}, outside Git", "declare the result, and let Flux apply it"
            command = f"{match[0].split()[0]} {match[1] or match[2]}"  # kubectl patch, helm upgrade
            yield kustomization.about(manifest, message, *container.field, hint=hint, command=command)


def _suspended(kustomization: KustomizationContext, manifest: Manifest) -> Iterator[Diagnostic]:
    annotations = manifest.mapping("metadata", "annotations")
    if is_flux(manifest.group) and manifest.mapping("spec").get("suspend") is True:
        message, hint = "{object} is suspended: commits do not reach the cluster", "remove suspend, or the suspended object"
        yield kustomization.about(manifest, message, "spec", "suspend", hint=hint)
    elif str(annotations.get(_DISABLED, "")).lower() == "disabled":
        message, hint = "{object} is not reconciled: commits do not reach the cluster", "remove the annotation, or the object"
        yield kustomization.about(manifest, message, "metadata", "annotations", _DISABLED, hint=hint)


def sops(context: LintContext) -> Iterator[Diagnostic]:
    """An environment has Secrets, but the repository neither encrypts anything nor has creation rules."""
    for environment in context.environments:
        if not environment.graph.encrypted and not context.files.creation_rules:
            rendered = ((each, manifest) for each in environment.kustomizations for manifest in each.node.manifests)
            secrets = [(each, manifest) for each, manifest in rendered if _has_values(manifest)]
            for kustomization, manifest in secrets[:1]:
                message = "{object} is not encrypted with SOPS" + (", like {count} more" if len(secrets) > 1 else "")
                message += ": the repository encrypts nothing"
                hint = "add a .sops.yaml with a rule for each environment, and encrypt with it"
                yield kustomization.about(manifest, message, hint=hint, count=len(secrets) - 1)


def _has_values(manifest: Manifest) -> bool:
    is_secret = manifest.kind == "Secret" and manifest.api_version == "v1" and not manifest.secret and not manifest.release
    return is_secret and any(manifest.body.get(section) for section in ("data", "stringData"))


def declarative(context: LintContext) -> Iterator[Diagnostic]:
    """A ConfigMap contains a program."""
    for kustomization, manifest in context.manifests:
        if manifest.kind == "ConfigMap" and manifest.api_version == "v1":
            for section, key, program in _programs(manifest.body):
                message, hint = "{object} contains {program}: {key}", "move it into the image that runs it, and give it a version"
                yield kustomization.about(manifest, message, section, key, hint=hint, program=program, key=key)


def _programs(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for section, what in (("binaryData", "a binary"), ("data", "a script")):
        values = body.get(section)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if section == "binaryData" or str(value).startswith("#!/"):
                yield section, str(key), what


def monitoring(context: LintContext) -> Iterator[Diagnostic]:
    hint = "add alerts, and something that evaluates them"
    yield from _absent(context, _monitors, "the environment renders nothing that monitors its cluster", hint)


def policies(context: LintContext) -> Iterator[Diagnostic]:
    """The environment renders no admission policy, and the repository has no PolicyRule."""
    if not context.files.policy_rules:
        hint = "add a ValidatingAdmissionPolicy with a binding, which needs no controller, or a policy engine"
        yield from _absent(context, _restricts, "the environment renders no admission policy for its cluster", hint)


def _absent(context: LintContext, is_present: Callable[[Manifest], bool], message: str, hint: str) -> Iterator[Diagnostic]:
    """Reported only for environments that are fully known and have workloads."""
    for inventory in inventories(context):
        manifests = [manifest for found in inventory.objects.values() for _, manifest in found]
        if inventory.whole and not inventory.cluster and any(map(_is_workload, manifests)) and not any(map(is_present, manifests)):
            location = Location(inventory.environment.environment.definition.path, 1)
            yield inventory.environment.diagnostic(message, location, hint=hint)


def _is_workload(manifest: Manifest) -> bool:
    return manifest.kind in _WORKLOADS or is_helm_release(manifest)


def _monitors(manifest: Manifest) -> bool:
    if manifest.group.endswith(_MONITORING_GROUPS):
        return True
    return _is_workload(manifest) and bool(_MONITORING.search(_names(manifest)))


def _restricts(manifest: Manifest) -> bool:
    group = manifest.group
    if manifest.kind in _POLICY_KINDS or (not is_built_in(group) and group.endswith(_POLICY_GROUPS)):
        return True
    return is_helm_release(manifest) and bool(_POLICY.search(_names(manifest)))


def _names(manifest: Manifest) -> str:
    """The name, the values of the labels, and the chart of a HelmRelease."""
    labels = manifest.mapping("metadata", "labels")
    chart = manifest.mapping("spec", "chart", "spec").get("chart", "") if is_helm_release(manifest) else ""
    return " ".join(map(str, (manifest.name, chart, *labels.values())))


RULES: Rules = {
    "constitution/gitops-first": Rule(
        gitops_first,
        Severity.INFO,
        "changes outside Git are lost with the cluster, and commits that do not reach the cluster cause surprises later",
        "make every change a commit that Flux applies",
    ),
    "constitution/sops": Rule(
        sops,
        Severity.WARNING,
        "without SOPS a Secret is either in plain text or not in the repository at all",
        "encrypt Secrets with SOPS and age, with a recipient for each environment",
    ),
    "constitution/declarative": Rule(
        declarative,
        Severity.INFO,
        "a script or a binary in a manifest is neither versioned, tested nor scanned",
        "ship programs in images, and declare what they do",
    ),
    "constitution/monitoring": Rule(
        monitoring, Severity.INFO, "failures go unnoticed without monitoring", "render monitoring with alert rules in every environment"
    ),
    "constitution/policies": Rule(
        policies, Severity.INFO, "conventions that nothing enforces are eventually broken", "render admission policies in every environment"
    ),
}
