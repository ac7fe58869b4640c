"""Labels are what Kubernetes accepts, selectors find their own pods, and objects carry what the repository asks of them."""

from __future__ import annotations

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

# A label that most workloads carry is a promise: of at least so many, at least this share.
_MANY, _MOST = 5, 0.8
_RECOMMENDED = "app.kubernetes.io/"


def required(subject: LintContext) -> Iterator[Diagnostic]:
    """A label is missing that devloop.yaml asks for, or that nearly all workloads of the repository carry."""
    wanted = subject.settings.labels
    if wanted.names:
        for unit, manifest in subject.manifests:
            if not wanted.kinds or manifest.kind in wanted.kinds:
                yield from _missing(unit, manifest, wanted.names, "devloop.yaml requires", None)
        return
    workloads = [(unit, manifest) for unit, manifest in subject.manifests if manifest.kind != "Pod" and pod_template(manifest)]
    usual = _usual([manifest for _, manifest in workloads])
    for unit, manifest in workloads:
        yield from _missing(unit, manifest, usual, "nearly all workloads here have", Severity.INFO)


def _missing(
    unit: KustomizationContext, manifest: Manifest, names: tuple[str, ...], why: str, severity: Severity | None
) -> Iterator[Diagnostic]:
    labels = manifest.mapping("metadata", "labels")
    if missing := [name for name in names if name not in labels]:
        few = "the label" if len(missing) == 1 else "the labels"
        message = f"{manifest} lacks {few} {', '.join(missing)}, which {why}"
        yield unit.about(manifest, message, "metadata", "labels", severity=severity)


def _usual(workloads: list[Manifest]) -> tuple[str, ...]:
    """The recommended labels that the repository's own workloads mostly carry; what environments share counts once."""
    labels = {(each.origin.path, str(each)): frozenset(each.mapping("metadata", "labels")) for each in workloads}
    counts = Counter(name for names in labels.values() for name in names if name.startswith(_RECOMMENDED))
    return tuple(sorted(name for name, count in counts.items() if len(labels) >= _MANY and count >= _MOST * len(labels)))


def syntax(subject: LintContext) -> Iterator[Diagnostic]:
    """The API server refuses a label, or the key of an annotation."""
    for unit, manifest in subject.manifests:
        for field, pointer in _metadata(manifest):
            labels = mapping_at(manifest.body, *field, "labels")
            for key, value in labels.items():
                if (wrong := _wrong_with_label(key, value)) and f"{pointer}/labels/{_escaped(key)}" not in manifest.unknown:
                    yield unit.about(manifest, f"{manifest}: {wrong}", *field, "labels", key)
            for key in mapping_at(manifest.body, *field, "annotations"):
                if wrong := wrong_with_key(key.lower()):  # their case does not matter
                    yield unit.about(manifest, f"{manifest}: the annotation {key!r} cannot be: {wrong}", *field, "annotations", key)


def _wrong_with_label(key: str, value: Any) -> str:
    if wrong := wrong_with_key(key):
        return f"the label {key!r} cannot be: {wrong}"
    wrong = wrong_with_value(value) if isinstance(value, str) and SOPS_MASK not in value else ""
    return f"the label {key} cannot be {value!r}: {wrong}" if wrong else ""


def _metadata(manifest: Manifest) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where the object and the pod that it makes have their metadata."""
    yield ("metadata",), "/metadata"
    pod = pod_template(manifest)
    if pod and pod.field:
        yield (*pod.field, "metadata"), "/" + "/".join((*pod.field, "metadata"))


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


# Kinds whose selector has to find the pods of their own template.
_SELECTING = frozenset({("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet")})


def selector(subject: LintContext) -> Iterator[Diagnostic]:
    """A workload would not find its own pods."""
    for unit, manifest in subject.manifests:
        pod = pod_template(manifest) if (manifest.api_version, manifest.kind) in _SELECTING else None
        if pod and not manifest.unknown:
            for key, what in _unmet(manifest.mapping("spec", "selector"), pod.labels):
                hint = "a selector cannot be changed later: correct the labels of the template where the workload exists already"
                message = f"{manifest}: the selector wants {what}, the labels of its pods do not have that"
                yield unit.about(manifest, message, "spec", "selector", *key, hint=hint)


def _unmet(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The parts of a selector that the labels do not meet: where they stand and what they say."""
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
    return True  # an operator that there is not: schema/invalid-value


RULES: Rules = {
    "labels/syntax": Rule(
        syntax,
        Severity.ERROR,
        "the API server refuses an object with a label that it cannot take",
        "write keys as [PREFIX/]NAME and values of at most 63 letters, digits, -, _ and .",
    ),
    "labels/selector": Rule(
        selector,
        Severity.ERROR,
        "the API server refuses a workload whose selector does not find the pods of its own template",
        "give the template the labels that the selector names",
    ),
    "labels/required": Rule(
        required,
        Severity.WARNING,
        "what has no label is found by no query, and belongs to nobody on a dashboard",
        "add the labels; labels.required of devloop.yaml says which",
    ),
}
