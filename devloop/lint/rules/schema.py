"""The API server accepts every object: the schema errors that the build worker found, by kind of error."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Check, Rule, Rules
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import KustomizationContext, LintContext, location_of
from devloop.model.lint.worker_results import SchemaError
from devloop.model.messages import counted

ObjectError = tuple[KustomizationContext, Manifest, SchemaError]


def schema_errors(context: LintContext, *codes: str) -> Iterator[ObjectError]:
    """The errors with one of the codes, each with its object."""
    kustomizations = {(kustomization.environment.name, kustomization.id): kustomization for kustomization in context.kustomizations}
    for invalid in context.worker_results.schema:
        kustomization = kustomizations[invalid.environment, invalid.kustomization]
        for error in invalid.violations:
            if error.code in codes:
                yield kustomization, kustomization.node.manifests[invalid.index], error


def _check(code: str) -> Check:
    return lambda context: to_diagnostics(tuple(schema_errors(context, code)))


def wrong_type(context: LintContext) -> Iterator[Diagnostic]:
    """Without the values of variables that `build/failed` reports."""
    failed = [(kustomization.id, failure.field) for kustomization, failure, _ in context.failures if failure.field]
    errors = schema_errors(context, "type")
    yield from to_diagnostics(
        tuple(each for each in errors if each[1].kind != KUSTOMIZATION or (each[1].id, tuple(each[2].field)) not in failed)
    )


def to_diagnostics(errors: Sequence[ObjectError]) -> Iterator[Diagnostic]:
    """One per error. If a component is rendered into several namespaces, the namespace is dropped so that only one is reported."""
    namespaces: dict[str, set[str]] = {}
    for _, manifest, error in errors:
        namespaces.setdefault(repr(_without_namespace(manifest, error)), set()).add(manifest.namespace)
    for kustomization, manifest, error in errors:
        location, message = _without_namespace(manifest, error)
        severity = Severity.WARNING if error.assumed and error.code in _VERSIONED else None
        several = len(namespaces[repr((location, message))]) > 1
        yield kustomization.diagnostic(
            "{object}: {reason}",
            hint=error.hint,
            severity=severity,
            location=location if several else location_of(manifest, *error.field),
            object=f"{manifest.kind}/{manifest.name}" if several else manifest,
            reason=message,
        )


def _without_namespace(manifest: Manifest, error: SchemaError) -> tuple[Location, str]:
    return replace(location_of(manifest, *error.field), namespace=""), error.message


# Another version of the same definition may allow these.
_VERSIONED = frozenset({"value", "removed"})


def unknown_kind(context: LintContext) -> Iterator[Diagnostic]:
    """Kinds without a schema: one diagnostic per kind, at its first object, so that unchecked objects do not look valid."""
    first: dict[str, ObjectError] = {}
    counts: dict[str, set[str]] = {}
    for found in schema_errors(context, "unknown-kind"):
        _, manifest, error = found
        first.setdefault(error.message, found)
        counts.setdefault(error.message, set()).add(str(manifest))
    for kind, (kustomization, manifest, _) in first.items():
        objects = counted(len(counts[kind]), "object")
        message, hint = (
            "no schema for {kind}: {objects} not checked",
            "render its CustomResourceDefinition, or add a copy to the repository",
        )
        yield kustomization.about(manifest, message, "kind", hint=hint, kind=kind, objects=objects)


RULES: Rules = {
    "schema/unknown-field": Rule(
        _check("unknown"),
        Severity.ERROR,
        "server-side apply rejects objects with unknown fields, and an unknown field is often a typing error",
        "correct the field name, or move the field to where it belongs",
    ),
    "schema/wrong-type": Rule(
        wrong_type,
        Severity.ERROR,
        "the API server rejects text where it expects a number, and the other way round",
        "write a value of the type that the message names; quotes turn a value into text",
    ),
    "schema/missing-field": Rule(
        _check("missing"), Severity.ERROR, "the API server rejects objects without a required field", "add the field"
    ),
    "schema/invalid-value": Rule(
        _check("value"),
        Severity.ERROR,
        "the API server rejects values that a field does not allow",
        "write one of the values that the message names",
    ),
    "schema/duplicate-item": Rule(
        _check("duplicate"),
        Severity.ERROR,
        "server-side apply identifies the items of such a list by their keys and rejects duplicates",
        "remove one of the items or give it another name",
    ),
    "schema/removed-api": Rule(
        _check("removed"),
        Severity.ERROR,
        "an API server of the environment's version does not serve this version of the kind",
        "use the apiVersion that replaced it",
    ),
    "schema/deprecated-api": Rule(
        _check("deprecated"),
        Severity.WARNING,
        "an upcoming version of Kubernetes removes this API",
        "switch to the apiVersion that replaces it before you upgrade",
    ),
    "schema/unknown-kind": Rule(
        unknown_kind,
        Severity.INFO,
        "objects without a schema cannot be checked",
        "render the CustomResourceDefinition, or add a copy of it to the repository",
    ),
}
