"""The API server would take every object: what the build worker found in it, by kind of violation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from devloop.diagnostic import Diagnostic, Location, Severity
from devloop.lint.rules.rule import Check, Rule, Rules
from devloop.model.kubernetes.manifest import Manifest
from devloop.model.lint.context import KustomizationContext, LintContext, place_of
from devloop.model.lint.worker_results import SchemaError

Found = tuple[KustomizationContext, Manifest, SchemaError]


def violations(subject: LintContext, *codes: str) -> Iterator[Found]:
    """Those of some codes, each with its object."""
    units = {(unit.inspected.environment.name, unit.node.kustomization.id): unit for unit in subject.units}
    for violated in subject.judgements.schema:
        unit = units[violated.environment, violated.kustomization]
        for violation in violated.violations:
            if violation.code in codes:
                yield unit, unit.node.manifests[violated.index], violation


def _every(*codes: str) -> Check:
    def check(subject: LintContext) -> Iterator[Diagnostic]:
        return told(tuple(violations(subject, *codes)))

    return check


def told(found: Sequence[Found]) -> Iterator[Diagnostic]:
    """One fault each; what a component puts into many namespaces is told without the namespace, so that it is told once."""
    namespaces: dict[str, set[str]] = {}
    for _, manifest, violation in found:
        namespaces.setdefault(repr(_anywhere(manifest, violation)), set()).add(manifest.namespace)
    for unit, manifest, violation in found:
        place, message = _anywhere(manifest, violation)
        severity = Severity.WARNING if violation.assumed and violation.code in _VERSIONED else None
        if len(namespaces[repr((place, message))]) > 1:
            yield unit.diagnostic(f"{manifest.kind}/{manifest.name}: {message}", place=place, hint=violation.hint, severity=severity)
        else:
            yield unit.about(manifest, f"{manifest}: {message}", *violation.field, hint=violation.hint, severity=severity)


def _anywhere(manifest: Manifest, violation: SchemaError) -> tuple[Location, str]:
    return replace(place_of(manifest, *violation.field), namespace=""), violation.message


# What another version of the same definition may allow.
_VERSIONED = frozenset({"value", "removed"})


def unknown_kind(subject: LintContext) -> Iterator[Diagnostic]:
    """Kinds without a schema: one line a kind, at the first of its objects, so that nobody takes unchecked for right."""
    first: dict[str, Found] = {}
    counts: dict[str, set[str]] = {}
    for found in violations(subject, "unknown-kind"):
        _, manifest, violation = found
        first.setdefault(violation.message, found)
        counts.setdefault(violation.message, set()).add(str(manifest))
    for kind, (unit, manifest, _) in first.items():
        number = len(counts[kind])
        objects = "1 object" if number == 1 else f"{number} objects"
        yield unit.about(manifest, f"no schema for {kind}: {objects} not checked", "kind", hint=_NO_SCHEMA)


_NO_SCHEMA = "render its CustomResourceDefinition, or keep a copy of it anywhere in the repository"

_Row = tuple[Callable[[LintContext], Iterator[Diagnostic]], Severity, str, str]

_ROWS: dict[str, _Row] = {
    "schema/unknown-field": (
        _every("unknown"),
        Severity.ERROR,
        "server-side apply refuses an object with a field that its kind does not have, and a typing error hides there",
        "correct the name of the field or move it to where it belongs",
    ),
    "schema/wrong-type": (
        _every("type"),
        Severity.ERROR,
        "the API server refuses a text where a number belongs, and the other way round",
        "write a value of the type that the message names; quotes make a text of it",
    ),
    "schema/missing-field": (
        _every("missing"),
        Severity.ERROR,
        "the API server refuses an object without a field that its kind needs",
        "add the field",
    ),
    "schema/invalid-value": (
        _every("value"),
        Severity.ERROR,
        "the API server refuses values that a field cannot have",
        "write one of the values that the message names",
    ),
    "schema/duplicate-item": (
        _every("duplicate"),
        Severity.ERROR,
        "server-side apply tells the items of such a list apart by their keys and refuses two that are the same",
        "remove one of the items or give it another name",
    ),
    "schema/removed-api": (
        _every("removed"),
        Severity.ERROR,
        "an API server of the environment's version does not serve this kind in this version",
        "write the apiVersion that took its place",
    ),
    "schema/deprecated-api": (
        _every("deprecated"),
        Severity.WARNING,
        "the next upgrades of Kubernetes take this API away",
        "write the apiVersion that takes its place before you upgrade",
    ),
    "schema/unknown-kind": (
        unknown_kind,
        Severity.INFO,
        "without a schema nobody can tell whether these objects are right",
        "render the CustomResourceDefinition, or keep a copy of it in the repository",
    ),
}

RULES: Rules = {name: Rule(*row) for name, row in _ROWS.items()}
