"""Labels are valid, selectors match their own pods, and objects have the labels that the repository requires."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.diagnostic import Diagnostic, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.manifest import Manifest, mapping_at
from devloop.model.kubernetes.names import wrong_with_key, wrong_with_value
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.context import KustomizationContext, LintContext
from devloop.model.redaction import SOPS_MASK

# A label counts as a convention if this share of at least so many workloads have it.
_MANY, _MOST = 5, 0.8
_RECOMMENDED = "app.kubernetes.io/"


def required(context: LintContext) -> Iterator[Diagnostic]:
    """A label is missing that devloop.yaml requires; without such a setting, one that nearly all workloads have."""
    wanted = context.settings.labels
    if wanted.names:
        for kustomization, manifest in context.manifests:
            if not wanted.kinds or manifest.kind in wanted.kinds:
                yield from _missing(kustomization, manifest, wanted.names, "devloop.yaml requires", None)
        return
    workloads = [(kustomization, manifest) for kustomization, manifest in context.manifests if _is_workload(manifest)]
    usual = _usual([manifest for _, manifest in workloads])
    for kustomization, manifest in workloads:
        yield from _missing(kustomization, manifest, usual, "nearly all workloads here have", Severity.INFO)


def _is_workload(manifest: Manifest) -> bool:
    return manifest.kind != "Pod" and pod_template(manifest) is not None


def _missing(
    kustomization: KustomizationContext, manifest: Manifest, names: tuple[str, ...], why: str, severity: Severity | None
) -> Iterator[Diagnostic]:
    labels = manifest.mapping("metadata", "labels")
    if missing := [name for name in names if name not in labels]:
        message = "{object} is missing the " + ("label" if len(missing) == 1 else "labels") + " {labels}, which " + why
        yield kustomization.about(manifest, message, "metadata", "labels", severity=severity, labels=", ".join(missing))


def _usual(workloads: list[Manifest]) -> tuple[str, ...]:
    """The recommended labels that most workloads have; a workload that environments share counts once."""
    labels = {(each.origin.path, str(each)): frozenset(each.mapping("metadata", "labels")) for each in workloads}
    counts = Counter(name for names in labels.values() for name in names if name.startswith(_RECOMMENDED))
    return tuple(sorted(name for name, count in counts.items() if len(labels) >= _MANY and count >= _MOST * len(labels)))


def syntax(context: LintContext) -> Iterator[Diagnostic]:
    """The API server rejects a label, or the key of an annotation."""
    for kustomization, manifest in context.manifests:
        for field in _metadata(manifest):
            for key, value in mapping_at(manifest.body, *field, "labels").items():
                if f"/{'/'.join(field)}/labels/{_escaped(key)}" in manifest.unknown:
                    continue
                if reason := wrong_with_key(key):
                    message = "{object}: the label {label!r} is invalid: {reason}"
                elif reason := wrong_with_value(value) if isinstance(value, str) and SOPS_MASK not in value else "":
                    message = "{object}: the value {value!r} of the label {label} is invalid: {reason}"
                else:
                    continue
                yield kustomization.about(manifest, message, *field, "labels", key, label=key, value=value, reason=reason)
            for key in mapping_at(manifest.body, *field, "annotations"):
                if reason := wrong_with_key(key.lower()):  # upper case is allowed in keys of annotations
                    message = "{object}: the annotation {annotation!r} is invalid: {reason}"
                    yield kustomization.about(manifest, message, *field, "annotations", key, annotation=key, reason=reason)


def _metadata(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    """The metadata of the object and of its pod template."""
    yield ("metadata",)
    pod = pod_template(manifest)
    if pod and pod.field:
        yield (*pod.field, "metadata")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


# Kinds whose selector must match the pods of their own template.
_SELECTING = frozenset({("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet")})


def selector(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization, manifest in context.manifests:
        pod = pod_template(manifest) if (manifest.api_version, manifest.kind) in _SELECTING else None
        if pod and not manifest.unknown:
            for field, requirement in _unmet(manifest.mapping("spec", "selector"), pod.labels):
                message = "{object}: the selector requires {requirement}, but the labels of its pods do not match"
                hint = "selectors are immutable: if the workload already exists, correct the labels of the template"
                yield kustomization.about(manifest, message, "spec", "selector", *field, hint=hint, requirement=requirement)


def _unmet(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The requirements of a selector that the labels do not meet, each with its field."""
    for key, value in mapping_at(selector, "matchLabels").items():
        if labels.get(key) != value:
            yield ("matchLabels", key), f"{key}: {value}"
    expressions = selector.get("matchExpressions")
    for expression in expressions if isinstance(expressions, list) else ():
        if isinstance(expression, dict) and not _meets(expression, labels):
            values = f" {', '.join(map(str, expression.get('values') or ()))}" if expression.get("values") else ""
            yield ("matchExpressions",), f"{expression.get('key')} {expression.get('operator')}{values}"


def _meets(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    value = labels.get(str(expression.get("key")))
    values = expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return True  # schema/invalid-value reports unknown operators


RULES: Rules = {
    "labels/syntax": Rule(
        syntax,
        Severity.ERROR,
        "the API server rejects objects with invalid labels",
        "write keys as [PREFIX/]NAME and values of at most 63 letters, digits, -, _ and .",
    ),
    "labels/selector": Rule(
        selector,
        Severity.ERROR,
        "the API server rejects workloads whose selector does not match the pods of their own template",
        "give the template the labels that the selector requires",
    ),
    "labels/required": Rule(
        required,
        Severity.WARNING,
        "queries and dashboards do not find objects without labels",
        "add the labels; labels.required in devloop.yaml lists them",
    ),
}
