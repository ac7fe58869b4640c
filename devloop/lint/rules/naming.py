"""Names are valid in Kubernetes and follow the conventions of the repository."""

import re
from collections.abc import Iterator
from typing import Any

from devloop.diagnostic import Diagnostic, FieldStep, Severity
from devloop.lint.rules.rule import Rule, Rules
from devloop.model.kubernetes.manifest import Manifest, mapping_at, mappings_in
from devloop.model.kubernetes.names import KEBAB, LABEL, PATH, is_data_key, is_port_name, name_form, what_is_wrong
from devloop.model.kubernetes.pod_templates import pod_template
from devloop.model.lint.context import EnvironmentGraph, KustomizationContext, LintContext
from devloop.model.lint.settings import NamePattern

# What has the name, the name, and its field.
Name = tuple[str, Any, tuple[FieldStep, ...]]

# Kebab-case counts as the repository's convention if this share of at least so many names use it.
_MANY, _NEARLY_ALL = 20, 0.95
_NEWEST_MINOR = 99


def invalid(context: LintContext) -> Iterator[Diagnostic]:
    """The API server rejects the name of an object, of its namespace, or in its pod template."""
    for kustomization, manifest in context.manifests:
        minor = _minor(kustomization.environment)
        for part, name, field in (*_object_names(manifest), *_pod_names(manifest)):
            reason = _why_invalid(manifest, part, name, minor)
            if reason and not _is_unknown(manifest, field):
                message = "{object}: the {part} {name!r} is invalid: {reason}"
                yield kustomization.about(manifest, message, *field, part=part, name=name, reason=reason)


def _minor(environment: EnvironmentGraph) -> int:
    match = re.match(r"v?1\.(\d{1,4})", environment.environment.definition.kubernetes_version)
    return int(match[1]) if match else _NEWEST_MINOR


def _object_names(manifest: Manifest) -> Iterator[Name]:
    yield "name", manifest.name, ("metadata", "name")
    if manifest.namespace:
        yield "namespace", manifest.namespace, ("metadata", "namespace")


def _pod_names(manifest: Manifest) -> Iterator[Name]:
    """Names of containers, ports and volumes."""
    pod = pod_template(manifest)
    if pod is None:
        return
    for container in pod.containers:
        if "name" in container.body:
            yield "container name", container.body["name"], (*container.field, "name")
        for index, port in enumerate(mappings_in(container.body.get("ports"))):
            if port.get("name"):
                yield "port name", port["name"], (*container.field, "ports", index, "name")
    for index, volume in enumerate(mappings_in(mapping_at(pod.body, "spec").get("volumes"))):
        yield "volume name", volume.get("name", ""), (*pod.field, "spec", "volumes", index, "name")


def _why_invalid(manifest: Manifest, part: str, name: Any, minor: int) -> str:
    if not isinstance(name, str) or not name:
        return ""  # schema/wrong-type and schema/missing-field report these
    if part == "port name":
        return "" if is_port_name(name) else "allowed: at most 15 lower case letters, digits and -, including a letter"
    return what_is_wrong(name, name_form(manifest.group, manifest.kind, minor) if part == "name" else LABEL)


def _is_unknown(manifest: Manifest, field: tuple[FieldStep, ...]) -> bool:
    return bool(manifest.unknown) and (len(field) > 2 or "/" + "/".join(map(str, field)) in manifest.unknown)


def data_key(context: LintContext) -> Iterator[Diagnostic]:
    for kustomization, manifest in context.manifests:
        if manifest.kind in ("ConfigMap", "Secret") and manifest.api_version == "v1":
            for field in ("data", "stringData", "binaryData"):
                for key in manifest.mapping(field):
                    if not is_data_key(key) and "${" not in key:
                        message, hint = "{object}: the key {key!r} of {field} is invalid", "allowed: letters, digits, -, _ and ."
                        yield kustomization.about(manifest, message, field, key, hint=hint, key=key, field=field)


def convention(context: LintContext) -> Iterator[Diagnostic]:
    """A name does not match the pattern of devloop.yaml; without one, it differs from nearly all others in the repository."""
    patterns = context.settings.names
    named = [(kustomization, manifest) for kustomization, manifest in context.manifests if not _is_unknown(manifest, ("metadata", "name"))]
    if patterns:
        for kustomization, manifest in named:
            yield from _mismatches(kustomization, manifest, patterns)
        return
    chosen = [(kustomization, manifest) for kustomization, manifest in named if _is_chosen(manifest)]
    names = {(manifest.kind, manifest.name) for _, manifest in chosen}
    kebab = {(kind, name) for kind, name in names if KEBAB.fullmatch(name)}
    if len(names) >= _MANY and len(kebab) >= _NEARLY_ALL * len(names):
        for kustomization, manifest in chosen:
            if (manifest.kind, manifest.name) not in kebab:
                message = "{object} is not in kebab-case, unlike nearly all objects here"
                yield kustomization.about(manifest, message, "metadata", "name", severity=Severity.INFO)


def _mismatches(kustomization: KustomizationContext, manifest: Manifest, patterns: tuple[NamePattern, ...]) -> Iterator[Diagnostic]:
    for each in patterns:
        if (not each.kinds or manifest.kind in each.kinds) and not each.pattern.fullmatch(manifest.name):
            hint = f"for example {each.example}" if each.example else ""
            message = "{object} does not match the name pattern in devloop.yaml: {pattern}"
            yield kustomization.about(manifest, message, "metadata", "name", hint=hint, pattern=each.pattern.text)


def _is_chosen(manifest: Manifest) -> bool:
    """Whether the author could choose the name: that of a definition or a role often follows from something else."""
    derived = ("CustomResourceDefinition", "APIService", "CSIDriver")
    return manifest.kind not in derived and name_form(manifest.group, manifest.kind, _NEWEST_MINOR) != PATH


RULES: Rules = {
    "naming/invalid": Rule(
        invalid,
        Severity.ERROR,
        "the API server rejects names that cannot be part of a domain name",
        "use lower case letters, digits and hyphens, and start and end with a letter or a digit",
    ),
    "naming/data-key": Rule(
        data_key,
        Severity.ERROR,
        "the API server rejects keys of a ConfigMap or a Secret that are not valid file names",
        "use letters, digits, hyphens, underscores and dots",
    ),
    "naming/convention": Rule(
        convention,
        Severity.WARNING,
        "names that follow one pattern are easy to guess, query and sort",
        "rename the object, or change names in devloop.yaml",
    ),
}
