"""The field of a Kustomization or a source that a cause is about, by the words of Flux's controllers. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from devloop.model.causes.cause import Cause
from devloop.model.causes.field_paths import Field, items_at, value_at
from devloop.model.flux.names import KUSTOMIZATION

Fields = Sequence[Field]

_NAMED = re.compile(r"""["']([^"']+)["']""")
_DEPENDENCY = re.compile(r"dependency '([^']+)'")
_EXPRESSION = re.compile(r"healthchecks\[(\d+)\].*?expression (\w+)")
_READY_EXPRESSION = re.compile(r"failed to evaluate dependency ([^:\s]+):")
_VARIABLES = re.compile(r"substitute from '(\w+)/([^']+)'")

# Why a source cannot be fetched, most specific first, and its fields.
_SOURCE: tuple[tuple[str, Fields], ...] = (
    (r"dial tcp|no such host|connection refused|x509", (("url",), ("endpoint",))),
    ("secret", (("secretRef", "name"), ("certSecretRef", "name"), ("proxySecretRef", "name"))),
    ("verif|signature", (("verify",),)),
    (
        r"remote ref|reference not found|semver|commit '|tag '|MANIFEST_UNKNOWN|manifest unknown",
        (*(("ref", key) for key in ("name", "commit", "semver", "tag", "branch", "digest")), ("ref",)),
    ),
    ("bucket", (("bucketName",),)),
    ("include", (("include",),)),
    ("sparse checkout", (("sparseCheckout",),)),
)
_ADDRESS = (("url",), ("endpoint",))


def kustomization_fields(cause: Cause, message: str, body: Mapping[str, Any]) -> Fields | None:
    """Candidates, the best first; None if the message is about something that this Kustomization does not say."""
    match cause.id.partition("/")[2]:
        case "source-missing":
            return _own_name(body, message, ("spec", "sourceRef", "name"))
        case "path-missing":
            return [("spec", "path")]
        case "dependency-missing":
            found = _DEPENDENCY.search(message)
            return _entries(body, ("spec", "dependsOn"), "name", name=found[1].rpartition("/")[2] if found else "")
        case "variables-missing":
            source = _VARIABLES.search(message)
            kind, name = (source[1], source[2].rpartition("/")[2]) if source else ("", "")
            return _entries(body, ("spec", "postBuild", "substituteFrom"), "name", kind=kind, name=name)
        case "health-check-missing":
            about = {} if cause.object.kind == KUSTOMIZATION else {"kind": cause.object.kind, "name": cause.object.name}
            return _entries(body, ("spec", "healthChecks"), "name", **about) or [("spec", "wait")]
        case "expression":
            return _expression(body, message)
        case "decryption":
            return _own_name(body, message, ("spec", "decryption", "secretRef", "name"))
        case "suspended":
            return [("spec", "suspend")]
    return []


def _own_name(body: Mapping[str, Any], message: str, field: Field) -> Fields | None:
    """The field, if its value is among the names in the message, or if the message names nothing."""
    names = {name.rpartition("/")[2] for name in _NAMED.findall(message)}
    own = value_at(body, field)
    return [field] if own is not None and (not names or own in names) else None


def _entries(body: Mapping[str, Any], at: tuple[str, ...], key: str, **wanted: str) -> Fields | None:
    found = [(*field, key) for field, item in items_at(body, *at) if all(str(item.get(name)) == text for name, text in wanted.items())]
    return found if wanted and found else None


def _expression(body: Mapping[str, Any], message: str) -> Fields | None:
    if found := _EXPRESSION.search(message):
        entry: Field = ("spec", "healthCheckExprs", int(found[1]))
        name = found[2][:1].lower() + found[2][1:]
        return [(*entry, name), entry]
    if dependency := _READY_EXPRESSION.search(message):
        return _entries(body, ("spec", "dependsOn"), "readyExpr", name=dependency[1].rpartition("/")[2])
    return [("spec", "healthCheckExprs")]


def source_fields(message: str) -> Fields:
    """Of a GitRepository, an OCIRepository, a Bucket, a HelmRepository or a HelmChart."""
    for words, fields in _SOURCE:
        if re.search(words, message):
            return [*(("spec", *field) for field in fields), *(("spec", *field) for field in _ADDRESS)]
    return [("spec", *field) for field in _ADDRESS]
