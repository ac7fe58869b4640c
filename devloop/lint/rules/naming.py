"""Names are what Kubernetes accepts and what the repository is used to."""

from __future__ import annotations

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

Part = tuple[str, Any, tuple[FieldStep, ...]]

# A way to write names that this share of at least so many keep is the repository's convention.
_MANY, _NEARLY_ALL = 20, 0.95
_NEWEST = 99


def invalid(subject: LintContext) -> Iterator[Diagnostic]:
    """The API server refuses the name of an object, of its namespace, or of a part of its pod."""
    for unit, manifest in subject.manifests:
        minor = _minor(unit.inspected)
        for what, name, field in (*_own(manifest), *_parts(manifest)):
            wrong = _wrong(manifest, what, name, minor)
            if wrong and not _is_unknown(manifest, field):
                yield unit.about(manifest, f"{manifest}: the {what} {name!r} cannot be: {wrong}", *field)


def _minor(inspected: EnvironmentGraph) -> int:
    match = re.match(r"v?1\.(\d{1,4})", inspected.environment.definition.kubernetes_version)
    return int(match[1]) if match else _NEWEST


def _own(manifest: Manifest) -> Iterator[Part]:
    yield "name", manifest.name, ("metadata", "name")
    if manifest.namespace:
        yield "namespace", manifest.namespace, ("metadata", "namespace")


def _parts(manifest: Manifest) -> Iterator[Part]:
    """Containers, their ports and volumes have names too."""
    pod = pod_template(manifest)
    for container in pod.containers if pod else ():
        if "name" in container.body:
            yield "container name", container.body["name"], (*container.field, "name")
        for index, port in enumerate(mappings_in(container.body.get("ports"))):
            if port.get("name"):
                yield "port name", port["name"], (*container.field, "ports", index, "name")
    for index, volume in enumerate(mappings_in(mapping_at(pod.body, "spec").get("volumes")) if pod else ()):
        yield "volume name", volume.get("name", ""), (*(pod.field if pod else ()), "spec", "volumes", index, "name")


def _wrong(manifest: Manifest, what: str, name: Any, minor: int) -> str:
    if not isinstance(name, str) or not name:
        return ""  # another rule's business: schema/wrong-type, schema/missing-field
    if what == "port name":
        return "" if is_port_name(name) else "allowed are at most 15 lower case letters, digits and -, one letter among them"
    return what_is_wrong(name, name_form(manifest.group, manifest.kind, minor) if what == "name" else LABEL)


def _is_unknown(manifest: Manifest, field: tuple[FieldStep, ...]) -> bool:
    return bool(manifest.unknown) and (len(field) > 2 or "/" + "/".join(map(str, field)) in manifest.unknown)


def data_key(subject: LintContext) -> Iterator[Diagnostic]:
    """A key of a ConfigMap or a Secret that cannot be a file's name."""
    for unit, manifest in subject.manifests:
        if manifest.kind in ("ConfigMap", "Secret") and manifest.api_version == "v1":
            for field in ("data", "stringData", "binaryData"):
                for key in manifest.mapping(field):
                    if not is_data_key(key) and "${" not in key:
                        hint = "allowed are letters, digits, -, _ and ."
                        yield unit.about(manifest, f"{manifest}: the key {key!r} of {field} cannot be", field, key, hint=hint)


def convention(subject: LintContext) -> Iterator[Diagnostic]:
    """A name is not as devloop.yaml wants it, or not as nearly all others of the repository are."""
    patterns = subject.settings.names
    named = [(unit, manifest) for unit, manifest in subject.manifests if not _is_unknown(manifest, ("metadata", "name"))]
    if patterns:
        for unit, manifest in named:
            yield from _against(unit, manifest, patterns)
        return
    own = [(unit, manifest) for unit, manifest in named if _is_free(manifest)]
    names = {(manifest.kind, manifest.name) for _, manifest in own}
    kebab = {(kind, name) for kind, name in names if KEBAB.fullmatch(name)}
    if len(names) >= _MANY and len(kebab) >= _NEARLY_ALL * len(names):
        for unit, manifest in own:
            if (manifest.kind, manifest.name) not in kebab:
                message = f"{manifest} is not named like-this, as nearly all objects here are"
                yield unit.about(manifest, message, "metadata", "name", severity=Severity.INFO)


def _against(unit: KustomizationContext, manifest: Manifest, patterns: tuple[NamePattern, ...]) -> Iterator[Diagnostic]:
    for each in patterns:
        if (not each.kinds or manifest.kind in each.kinds) and not each.pattern.fullmatch(manifest.name):
            hint = f"for example {each.example}" if each.example else ""
            message = f"{manifest} is not named as devloop.yaml wants it: {each.pattern.text}"
            yield unit.about(manifest, message, "metadata", "name", hint=hint)


def _is_free(manifest: Manifest) -> bool:
    """Whoever wrote the object chose its name: that of a definition or a role often follows from something else."""
    made_up = ("CustomResourceDefinition", "APIService", "CSIDriver")
    return manifest.kind not in made_up and name_form(manifest.group, manifest.kind, _NEWEST) != PATH


RULES: Rules = {
    "naming/invalid": Rule(
        invalid,
        Severity.ERROR,
        "the API server refuses a name that cannot be part of a domain name",
        "write lower case letters, digits and hyphens, with a letter or a digit at both ends",
    ),
    "naming/data-key": Rule(
        data_key,
        Severity.ERROR,
        "the API server refuses a key of a ConfigMap or a Secret that cannot be the name of a file",
        "write letters, digits, hyphens, underscores and dots",
    ),
    "naming/convention": Rule(
        convention,
        Severity.WARNING,
        "names that follow one pattern can be guessed, queried and sorted",
        "rename the object, or change names in devloop.yaml",
    ),
}
