"""The field of a pod's template that a cause is about, by the words of the kubelet and the scheduler. No I/O.

Each function gives candidates, the best first; the template may lack some of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.model.causes.field_paths import Field, items_at, value_at
from devloop.model.kubernetes.pod_templates import PodContainer, PodTemplate

_CONTAINER = re.compile(r'\bcontainers? "?([a-z0-9][a-z0-9-]*)')
VOLUME = re.compile(r'volumes? "([^"]+)"|unmounted volumes=\[([^\], ]+)')
_MISSING = re.compile(
    r"""(configmap|secret)s? "([^"]+)" not found|couldn't find key (\S+) in (ConfigMap|Secret) \S+/(\S+)""", re.IGNORECASE
)
_KEY = re.compile(r"references non-existent (?:config|secret) key: (\S+)")

# Where a container names a ConfigMap or Secret: (list, item's field, name's key), and where a volume does.
_IN_CONTAINER = (
    ("env", ("valueFrom", "configMapKeyRef"), "configmap", "name"),
    ("env", ("valueFrom", "secretKeyRef"), "secret", "name"),
    ("envFrom", ("configMapRef",), "configmap", "name"),
    ("envFrom", ("secretRef",), "secret", "name"),
)
_INVOLUME = ((("configMap",), "configmap", "name"), (("secret",), "secret", "secretName"))

# What the scheduler says, and the fields of the pod's spec that it is about.
_SCHEDULING = (
    ("node affinity/selector", ("nodeSelector",), ("affinity", "nodeAffinity"), ("affinity",)),
    ("pod affinity rules", ("affinity", "podAffinity")),
    ("anti-affinity rules", ("affinity", "podAntiAffinity")),
    ("taint", ("tolerations",)),
    ("topology spread constraints", ("topologySpreadConstraints",)),
    ("persistentvolumeclaim", ("volumes",)),
)


def container_of(template: PodTemplate, message: str) -> PodContainer | None:
    """The container that the message names, else the only one."""
    found, containers = _CONTAINER.search(message), tuple(template.containers)
    named = [each for each in containers if found and each.name == found[1]]
    return (named or (list(containers) if len(containers) == 1 else [None]))[0]  # type: ignore[list-item]


def pod_fields(identifier: str, message: str, template: PodTemplate) -> Iterator[Field]:
    """Of a cause `pod/...`."""
    container, spec = container_of(template, message), (*template.field, "spec")
    match identifier:
        case "pod/config-missing" | "pod/volume":
            yield from _configuration(message, template, container)
        case "pod/unschedulable":
            yield from _scheduling(message, template)
        case "volume/pending":
            yield (*spec, "volumes")
        case "pod/start-failed" if "non-root" in message or "runAsNonRoot" in message:
            yield from ((*place, "securityContext", "runAsNonRoot") for place in ([container.field] if container else []) + [spec])
        case _ if container:
            yield from ((*container.field, *field) for field in _of_container(identifier, message, container.body))


def _of_container(identifier: str, message: str, body: Mapping[str, Any]) -> Iterator[Field]:
    match identifier:
        case "pod/image-pull" | "pod/image-name":
            yield ("image",)
        case "pod/out-of-memory":
            yield ("resources", "limits", "memory")
        case "pod/liveness":
            yield from _probe("startupProbe" if "Startup probe" in message else "livenessProbe", message)
        case "pod/not-ready":
            yield from _probe("readinessProbe", message)
        case "pod/start-failed" if "PostStart" in message:
            yield ("lifecycle", "postStart")
        case "pod/crash" | "pod/start-failed" | "job/failed":
            yield from (("command",), ("args",), ("image",)) if body.get("command") else (("args",), ("image",))


def _probe(name: str, message: str) -> Iterator[Field]:
    if "statuscode" in message:
        yield (name, "httpGet", "path")
    if "dial tcp" in message or "connection refused" in message:
        yield from ((name, kind, "port") for kind in ("httpGet", "tcpSocket", "grpc"))
    yield (name,)


def _configuration(message: str, template: PodTemplate, container: PodContainer | None) -> Iterator[Field]:
    missing, volume, key = _MISSING.search(message), VOLUME.search(message), _KEY.search(message)
    if missing:
        kind, name = (missing[1] or missing[4]).lower(), missing[2] or missing[5]
        found = [*_in_containers(kind, name, template, container), *_in_volumes(kind, name, template)]
        yield from ((*field, "key") for field, body in found if missing[3] and body.get("key") == missing[3])
        yield from ((*field, "name" if "name" in body else "secretName") for field, body in found)
    if volume:
        field: Field = (*template.field, "spec", "volumes", {"name": volume[1] or volume[2]})
        yield from ((*field, *rest) for rest in _keys_of(value_at(template.manifest.body, field), key[1] if key else ""))
        yield field


def _in_containers(kind: str, name: str, template: PodTemplate, only: PodContainer | None) -> Iterator[tuple[Field, Mapping[str, Any]]]:
    for container in [only] if only else template.containers:
        for listed, inner, of, name_key in _IN_CONTAINER:
            for field, item in items_at(container.body, listed):
                body = value_at(item, inner)
                if of == kind and isinstance(body, Mapping) and body.get(name_key) == name:
                    yield (*container.field, *field, *inner), body


def _in_volumes(kind: str, name: str, template: PodTemplate) -> Iterator[tuple[Field, Mapping[str, Any]]]:
    for field, item in items_at(template.body, "spec", "volumes"):
        for inner, of, name_key in _INVOLUME:
            body = value_at(item, inner)
            if of == kind and isinstance(body, Mapping) and body.get(name_key) == name:
                yield (*template.field, *field, *inner), body
        for projected, source in items_at(item, "projected", "sources"):
            body = value_at(source, ("configMap" if kind == "configmap" else "secret",))
            if isinstance(body, Mapping) and body.get("name") == name:
                yield (*template.field, *field, *projected, "configMap" if kind == "configmap" else "secret"), body


def _keys_of(volume: Any, key: str) -> Iterator[Field]:
    """The item of a ConfigMap or Secret volume that names the key."""
    for kind in ("configMap", "secret") if key else ():
        yield from ((*field, "key") for field, item in items_at(volume, kind, "items") if item.get("key") == key)


def _scheduling(message: str, template: PodTemplate) -> Iterator[Field]:
    spec = (*template.field, "spec")
    for resource in re.findall(r"Insufficient ([\w./-]+)", message):
        for side in ("requests", "limits"):
            yield from largest(template, side, resource.rstrip("."))
    if "free ports" in message:
        for container in template.containers:
            yield from ((*container.field, *field, "hostPort") for field, item in items_at(container.body, "ports") if "hostPort" in item)
    for words, *fields in _SCHEDULING:
        if words in message:
            yield from ((*spec, *field) for field in fields)


def largest(template: PodTemplate, side: str, resource: str, value: str = "") -> Iterator[Field]:
    """The containers that ask for a resource, those first whose quantity is `value`."""
    having = [each for each in template.containers if each.resource(side, resource) is not None]
    for container in sorted(having, key=lambda each: str(each.resource(side, resource)) != value):
        yield (*container.field, "resources", side, resource)
