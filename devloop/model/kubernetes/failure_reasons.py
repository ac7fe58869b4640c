"""Why an object is not healthy, from its conditions, pods and events. No I/O."""

from collections.abc import Iterable, Sequence

from devloop.model.kubernetes.objects import Object

# Prefix of the API's event recorder for aggregated events.
REPEATED = "(combined from similar events): "


def failure_reasons(target: Object, pods: Iterable[Object], events: Iterable[Object]) -> tuple[str, ...]:
    """At most four lines about `target`, the most relevant first; `pods` and `events` of its namespace."""
    own = [pod for pod in pods if _selects(target, pod)]
    lines = [*_waiting(own), *_conditions(target), *_warnings(target, own, events)]
    unique = [line for position, line in enumerate(lines) if not any(earlier in line for earlier in lines[:position])]
    return tuple(f"{_title(target)}: {line}" for line in unique[:4] or [_counts(target)])


def _title(obj: Object) -> str:
    metadata = obj.get("metadata") or {}
    return "/".join(part for part in (str(obj.get("kind", "")), metadata.get("namespace", ""), metadata.get("name", "")) if part)


def _counts(target: Object) -> str:
    status, spec = target.get("status") or {}, target.get("spec") or {}
    available = status.get("availableReplicas", status.get("readyReplicas", status.get("numberAvailable", 0)))
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1))
    return f"{available} of {wanted} available" if "replicas" in spec or "desiredNumberScheduled" in status else "in progress"


def _selects(target: Object, pod: Object) -> bool:
    wanted = ((target.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    labels = (pod.get("metadata") or {}).get("labels") or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _waiting(pods: Sequence[Object]) -> list[str]:
    """The waiting reasons of containers (ImagePullBackOff, CrashLoopBackOff ...) with the kubelet's message."""
    lines = []
    for pod in pods:
        status = pod.get("status") or {}
        for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
                lines.append(f"container {container.get('name')}: {waiting['reason']}: {_short(waiting.get('message', ''))}".rstrip(": "))
        for condition in status.get("conditions") or ():
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                lines.append(f"cannot be scheduled: {_short(condition.get('message', ''))}")
    return lines


def _conditions(target: Object) -> list[str]:
    """The messages of conditions that report a failure."""
    bad = {("ReplicaFailure", "True"), ("Stalled", "True"), ("Ready", "False"), ("Progressing", "False"), ("Failed", "True")}
    conditions = (target.get("status") or {}).get("conditions") or ()
    return [_short(c.get("message", "") or c.get("reason", "")) for c in conditions if (c.get("type"), c.get("status")) in bad]


def _warnings(target: Object, pods: Sequence[Object], events: Iterable[Object]) -> list[str]:
    names = {(target.get("metadata") or {}).get("name")} | {(pod.get("metadata") or {}).get("name") for pod in pods}
    warnings = [event for event in events if event.get("type") == "Warning" and (event.get("involvedObject") or {}).get("name") in names]
    warnings.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return [f"{event.get('reason')}: {_short(event.get('message', '').removeprefix(REPEATED))}" for event in warnings[-2:]]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 240 else line[:237] + "..."
