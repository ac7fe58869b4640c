"""What to do about a cause, as far as the repository shows it: a name that resembles the missing one, a field to paste. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devloop.hint import Hint
from devloop.model.causes.cause import Cause
from devloop.model.causes.ids import BUILDS
from devloop.model.causes.rendered import Rendered
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.messages import suggestions

# What is missing: the kind as a group, or as a constant, and the name.
_MISSING: tuple[tuple[str, str], ...] = (
    (r"(?P<kind>configmap|secret)s? \"(?P<name>[^\"]+)\" not found", ""),
    (r"(?P<kind>serviceaccount) \"(?P<name>[^\"]+)\" not found", ""),
    (r"no (?P<kind>PriorityClass) with name (?P<name>\S+) was found", ""),
    (r"dependency '(?:[^/']*/)?(?P<name>[^']+)' not found", KUSTOMIZATION),
    (r"(?P<kind>\w+)\.source\.toolkit\.fluxcd\.io \"(?P<name>[^\"]+)\" not found", ""),
    (r"(?P<kind>storageclass)(?:\.storage\.k8s\.io)? \"(?P<name>[^\"]+)\" not found", ""),
)
_GENERATED = re.compile(r"-[a-z0-9]{10}$")  # of a name that a generator of kustomize makes
_QUANTITY = re.compile(r"limit (\d+)([KMGT]i?)\b")
_MUST_SET = re.compile(r"must set securityContext\.([A-Za-z.]+)(?:=([^)]+)| to \"([^\"]+)\")")
_MUST_NOT_SET = re.compile(r"must not set (securityContext\.[A-Za-z.]+)")
_OF_KIND = {
    "apply/kind-missing": "add the CustomResourceDefinition of {kind}, in a Kustomization that this one depends on",
    "apply/namespace-missing": "add the Namespace {namespace} to the repository",
    "kustomization/suspended": "remove spec.suspend, and Flux applies them",
    "release/suspended": "remove spec.suspend, and Flux applies them",
}


def hint_of(cause: Cause, rendered: Rendered) -> Hint:
    """That of a build that fails here as well, the hint of the cause, else one from the repository, '' without any."""
    node = rendered.node(cause.kustomization) if cause.id in BUILDS else None
    if node and node.failure and node.failure.hint:
        return node.failure.hint
    if cause.hint:
        return cause.hint
    message = cause.said or cause.message
    if text := _OF_KIND.get(cause.id):
        return text.format(kind=cause.object.kind, namespace=cause.object.namespace)
    if cause.id == "pod/out-of-memory":
        return _larger(message)
    if cause.id.endswith("/pod-security"):
        return _security_context(message)
    if cause.id == "kustomization/health-check-missing":
        return _similar(cause.object.kind, cause.object.name, cause.object.namespace, rendered)
    return _missing(message, cause.object.namespace, rendered)


def _missing(message: str, namespace: str, rendered: Rendered) -> str:
    for pattern, kind in _MISSING:
        if found := re.search(pattern, message):
            return _similar(kind or found["kind"], found["name"], namespace, rendered)
    return ""


def _similar(kind: str, name: str, namespace: str, rendered: Rendered) -> str:
    known = sorted(set(_names(kind, namespace, rendered)) - {name})
    near = suggestions(name, known)
    return f"did you mean {near[0]}?" if near else ""


def _names(kind: str, namespace: str, rendered: Rendered) -> Iterator[str]:
    for node in rendered.graph:
        for manifest in node.manifests:
            if manifest.kind.lower() == kind.lower() and manifest.namespace in ("", namespace):
                is_generated = manifest.origin.path.rpartition("/")[2].lower().startswith("kustomization")
                yield _GENERATED.sub("", manifest.name) if is_generated else manifest.name


def _larger(message: str) -> str:
    limit = _QUANTITY.search(message)
    return f"raise the limit, for example memory: {2 * int(limit[1])}{limit[2]}" if limit else "set resources.limits.memory"


def _security_context(message: str) -> str:
    """The fields that the level requires, in the form of YAML."""
    fields = {path: _yaml(value or word) for path, value, word in _MUST_SET.findall(message)}
    if fields:
        return f"securityContext: {{{', '.join(_nested(path.split('.'), value) for path, value in fields.items())}}}"
    remove = _MUST_NOT_SET.search(message)
    return f"remove {remove[1]}" if remove else ""


def _nested(keys: list[str], value: str) -> str:
    return f"{keys[0]}: {value}" if len(keys) == 1 else f"{keys[0]}: {{{_nested(keys[1:], value)}}}"


def _yaml(value: str) -> str:
    return value.replace('"', "")
