"""Why a workload is not available: its pods of the current revision, what its controller could not create, its conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.observed import Observed, event_time, metadata
from devloop.model.causes.pods import pod_causes
from devloop.model.causes.refusals import OVER_LIMIT, named_missing, refusal
from devloop.model.causes.times import seconds
from devloop.model.kubernetes.conditions import condition, conditions_of, has_condition
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import one_line

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
NAMESPACE_STARTS = 15.0  # seconds
MOST = 3  # causes of one workload
REVISION = "deployment.kubernetes.io/revision"
GENERATION = "deprecated.daemonset.template.generation"
# Prefix of the API's event recorder for aggregated events.
REPEATED = "(combined from similar events): "


def workload_causes(observed: Observed, workload: Object, now: float) -> tuple[Cause, ...]:
    """At most three, the most telling first; `now` in seconds since 1970."""
    ref = ObjectRef.of(workload)
    if metadata(workload).get("deletionTimestamp"):
        return (Cause("object/terminating", ref, "it is being deleted"),)
    replicas, pods = current_pods(observed, workload)
    causes: dict[tuple[str, str], Cause] = {}
    for pod in pods:
        for cause in pod_causes(pod, ref, observed.warnings(pod), now):
            causes.setdefault((cause.id, cause.container.name if cause.container else ""), cause)
    for cause in (*_not_created(observed, workload, replicas, now), *_conditions(workload, ref)):
        causes.setdefault((cause.id, ""), cause)
    return tuple(causes.values())[:MOST] or (Cause("workload/not-available", ref, _counts(workload, pods)),)


def current_pods(observed: Observed, workload: Object) -> tuple[list[Object], list[Object]]:
    """(ReplicaSets, pods) of the workload's current template, without those that are being deleted."""
    owners = [workload]
    if workload.get("kind") == "Deployment":
        sets = observed.owned("ReplicaSet", workload)
        owners = sorted(sets, key=lambda each: int((metadata(each).get("annotations") or {}).get(REVISION, 0)))[-1:]
    pods = [pod for owner in owners for pod in observed.owned("Pod", owner) if _is_current(pod, workload)]
    return (owners if workload.get("kind") == "Deployment" else []), pods


def _is_current(pod: Object, workload: Object) -> bool:
    labels, status = metadata(pod).get("labels") or {}, workload.get("status") or {}
    if metadata(pod).get("deletionTimestamp"):
        return False
    if workload.get("kind") == "StatefulSet" and status.get("updateRevision"):
        return bool(labels.get("controller-revision-hash") == status["updateRevision"])
    if workload.get("kind") == "DaemonSet":
        wanted = (metadata(workload).get("annotations") or {}).get(GENERATION)
        return wanted is None or labels.get("pod-template-generation") == wanted
    return True


def _not_created(observed: Observed, workload: Object, replicas: list[Object], now: float) -> Iterator[Cause]:
    """Pods that the API server refused: the condition of a Deployment, else events since the workload was last applied."""
    failures = [obj for obj in (workload, *replicas) if has_condition(obj, "ReplicaFailure")]
    messages = [str(condition(obj, "ReplicaFailure").get("message", "")) for obj in failures]
    if not failures and _wants_pods(workload):
        since = applied_at(workload)
        warnings = observed.warnings(workload, *replicas)
        messages = [w.get("message", "") for w in warnings if w.get("reason") == "FailedCreate" and seconds(event_time(w)) >= since][-1:]
    for message in messages[:1]:
        text = one_line(message.removeprefix(REPEATED))
        kind = _kind(message)
        # A new namespace has no default service account for a moment, and its quotas no status.
        is_old = now - applied_at(workload) >= NAMESPACE_STARTS
        is_definite = kind != "not-created" or bool(named_missing(text) or OVER_LIMIT.search(text))
        yield Cause(f"workload/{kind}", ObjectRef.of(workload), text, final=is_definite or is_old, said=message)


def _kind(message: str) -> str:
    kind = refusal(message)
    return kind if kind in ("quota", "pod-security", "admission") else "not-created"


def _wants_pods(workload: Object) -> bool:
    """Whether it has fewer pods than it should have."""
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1))
    has = status.get("currentNumberScheduled", status.get("replicas", status.get("active", 0)))
    return bool(has < wanted)


def applied_at(obj: Object) -> float:
    """When a manager last changed the spec; seconds since 1970, 0 if unknown."""
    managers = metadata(obj).get("managedFields") or ()
    return max((seconds(each.get("time")) for each in managers if "f:spec" in (each.get("fieldsV1") or {})), default=0.0)


def _conditions(workload: Object, ref: ObjectRef) -> Iterator[Cause]:
    for each in conditions_of(workload):
        match each.get("type"), each.get("status"):
            case ("Failed" | "FailureTarget", "True"):
                reason, message = each.get("reason", ""), one_line(each.get("message", ""))
                yield Cause("job/failed", ref, f"{reason}: {message}" if message else reason, final=True)
            case ("Progressing", "False"):
                yield Cause("workload/not-available", ref, one_line(each.get("message", "")), final=True)


def _counts(workload: Object, pods: Sequence[Object]) -> str:
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    if waiting := [pod for pod in pods if not (pod.get("spec") or {}).get("nodeName")]:
        return f"the pod {metadata(waiting[0]).get('name')} waits for a node, and the scheduler says nothing about it"
    available = status.get("availableReplicas", status.get("readyReplicas", status.get("numberAvailable", 0)))
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1))
    return f"{available} of {wanted} available" if "replicas" in spec or "desiredNumberScheduled" in status else "in progress"
