"""Whether an object has reconciled to its spec, like Flux's kstatus ("Current"). Unknown kinds count as current. No I/O."""

from collections.abc import Callable, Mapping

from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.objects import Object


def is_current(obj: Object) -> bool:
    """Whether `obj` is up to date with its generation and healthy."""
    metadata = obj.get("metadata") or {}
    status = obj.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return False
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata.get("generation"):
        return False
    check = _CHECKS.get(str(obj.get("kind")))
    return check(obj, status) if check else _ready_condition(obj)


def is_available(workload: Object) -> bool:
    """Whether a workload does what its spec asks for. Unlike for kstatus, a paused Deployment and a suspended Job are complete, and with
    OnDelete only the number of ready pods counts."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if (workload.get("metadata") or {}).get("deletionTimestamp"):
        return False
    on_delete = (spec.get("updateStrategy") or {}).get("type") == "OnDelete"
    match workload.get("kind"):
        case "Deployment" if spec.get("paused"):
            return True
        case "Job" if spec.get("suspend"):
            return True
        case "StatefulSet" if on_delete:
            return bool(status.get("readyReplicas", 0) >= spec.get("replicas", 1))
        case "DaemonSet" if on_delete:
            return bool(status.get("numberAvailable", 0) >= status.get("desiredNumberScheduled", 0))
    return is_current(workload)


def _ready_condition(obj: Object) -> bool:
    ready = condition(obj, "Ready").get("status", "True")
    return ready == "True" and not has_condition(obj, "Stalled") and not has_condition(obj, "Reconciling")


def _custom(obj: Object, status: Object) -> bool:
    return status.get("observedGeneration") is not None and has_condition(obj, "Ready")


def _replicated(*counts: str) -> Callable[[Object, Object], bool]:
    def check(obj: Object, status: Object) -> bool:
        desired = (obj.get("spec") or {}).get("replicas", 1)
        return status.get("observedGeneration") is not None and all(status.get(count, 0) == desired for count in counts)

    return check


def _stateful_set(obj: Object, status: Object) -> bool:
    """With OnDelete, pods keep the old template until somebody deletes them; with a partition, those below it do."""
    spec = obj.get("spec") or {}
    strategy, replicas = spec.get("updateStrategy") or {}, spec.get("replicas", 1)
    if status.get("observedGeneration") is None:
        return False
    if strategy.get("type") == "OnDelete":
        return True
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    updated: bool = status.get("updatedReplicas", 0) >= replicas - partition
    return updated and bool(status.get("replicas", 0) == status.get("readyReplicas", 0) == replicas)


def _daemon_set(obj: Object, status: Object) -> bool:
    desired = status.get("desiredNumberScheduled")
    if desired is None or status.get("observedGeneration") is None:
        return False
    return all(status.get(count, 0) >= desired for count in ("updatedNumberScheduled", "numberAvailable"))


def _job(obj: Object, status: Object) -> bool:
    # Flux accepts a Job that has started and has not failed.
    return not has_condition(obj, "Failed") and bool(status.get("startTime"))


def _pod(obj: Object, status: Object) -> bool:
    # Flux accepts a pod that has ended, whatever its exit code.
    return status.get("phase") in ("Succeeded", "Failed") or (status.get("phase") == "Running" and has_condition(obj, "Ready"))


def _claim(obj: Object, status: Object) -> bool:
    return status.get("phase") == "Bound"


_CHECKS: Mapping[str, Callable[[Object, Object], bool]] = {
    "Deployment": _replicated("updatedReplicas", "replicas", "availableReplicas"),
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "HelmRelease": _custom,
    "Kustomization": _custom,
}
