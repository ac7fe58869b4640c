"""The field of a template whose pods the API server refuses, by the words of admission and quotas. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from devloop.model.causes.field_paths import Field, items_at, mentioned_fields
from devloop.model.causes.pod_fields import VOLUME, container_of, largest
from devloop.model.kubernetes.pod_templates import PodTemplate

# What the controllers of workloads say about a pod that they cannot create.
_REFUSED = (
    ("service account|serviceaccount", "serviceAccountName"),
    ("PriorityClass", "priorityClassName"),
    ("RuntimeClass", "runtimeClassName"),
    ("image pull secret", "imagePullSecrets"),
)
_HOST = re.compile(r"\b(hostNetwork|hostPID|hostIPC)=true")
_SECURITY = re.compile(r"(?:securityContext\.)([A-Za-z.]+)")
_LIMIT = re.compile(r"(?:maximum|minimum) (\S+) usage per \w+ is [^,]+, but (limit|request) is ([^\s.,]+)")


def refused_fields(kind: str, message: str, template: PodTemplate) -> Iterator[Field]:
    """Of pods that the API server does not take: `kind` is that of the refusal."""
    spec = (*template.field, "spec")
    if kind == "quota":
        yield from _quota(message, template)
    elif kind == "pod-security":
        yield from _security(message, template)
    yield from ((*spec, field) for words, field in _REFUSED if re.search(words, message))
    for resource, side, value in _LIMIT.findall(message):
        yield from largest(template, "requests" if side == "request" else "limits", resource, value)
    # A policy about pods names fields of a pod.
    for field in mentioned_fields(message):
        yield field if field[: len(template.field)] == template.field else (*template.field, *field)


def _quota(message: str, template: PodTemplate) -> Iterator[Field]:
    """`exceeded quota: NAME, requested: limits.memory=1Gi,pods=1, used: ...`, or `must specify limits.cpu for: main`."""
    requested = re.search(r"requested: (.*?), used: ", message)
    names = [each.partition("=")[0] for each in requested[1].split(",")] if requested else []
    names += [name for listed in re.findall(r"must specify ([\w.,]+)", message) for name in listed.split(",")]
    for name in names:
        side, _, resource = name.rpartition(".")
        if side in ("", "requests", "limits") and name != "pods":
            yield from largest(template, side or "requests", resource)
            if container := container_of(template, message.partition("for: ")[2] and f"container {message.partition('for: ')[2]}"):
                yield (*container.field, "resources", side or "requests", resource)
    if template.manifest.kind != "Pod":
        yield ("spec", "completions" if template.manifest.kind == "Job" else "replicas")


def _security(message: str, template: PodTemplate) -> Iterator[Field]:
    """`privileged (container "main" must not set securityContext.privileged=true), runAsNonRoot != true (...)`: the first violation."""
    violation = message.partition("violates PodSecurity")[2].partition("), ")[0]
    spec, container = (*template.field, "spec"), container_of(template, violation)
    yield from ((*spec, name) for name in _HOST.findall(violation))
    if volume := VOLUME.search(violation):
        yield (*spec, "volumes", {"name": volume[1]})
    if not container:
        return
    if "hostPort" in violation:
        yield from ((*container.field, *field, "hostPort") for field, item in items_at(container.body, "ports") if "hostPort" in item)
    for name in _SECURITY.findall(violation)[:1]:
        steps = tuple(name.strip(".").split("."))
        yield (*container.field, "securityContext", *steps)
        yield (*spec, "securityContext", *steps)
