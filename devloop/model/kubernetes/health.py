"""Whether an object has reconciled to its spec, like Flux's kstatus ("Current"). Unknown kinds count as current. No I/O."""

from collections.abc import Callable, Mapping

from devloop.model.kubernetes.objects import Object

# helm-controller retries an action that fails before there is a release without limit; with pauses doubling from 20 ms, eight failures
# take five seconds.
HELM_FAILURES = 8


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
    return check(obj, status) if check else _ready_condition(status)


def is_failed(obj: Object) -> bool:
    """Whether `obj` will not become healthy without a change: it is stalled or failed, or the same action failed repeatedly."""
    status = obj.get("status") or {}
    if _condition(status, "Stalled") == "True" or _condition(status, "Failed") == "True":
        return True
    if obj.get("kind") != "HelmRelease":
        return False
    attempted = status.get("lastAttemptedGeneration") == (obj.get("metadata") or {}).get("generation")
    return attempted and _condition(status, "Released") == "False" and status.get("failures", 0) >= HELM_FAILURES


def _condition(status: Object, kind: str) -> str:
    return next((c.get("status", "") for c in status.get("conditions") or () if c.get("type") == kind), "")


def _ready_condition(status: Object) -> bool:
    return _condition(status, "Ready") in ("", "True") and _condition(status, "Stalled") != "True"


def _custom(obj: Object, status: Object) -> bool:
    return status.get("observedGeneration") is not None and _condition(status, "Ready") == "True"


def _replicated(*counts: str) -> Callable[[Object, Object], bool]:
    def check(obj: Object, status: Object) -> bool:
        desired = (obj.get("spec") or {}).get("replicas", 1)
        return status.get("observedGeneration") is not None and all(status.get(count, 0) == desired for count in counts)

    return check


def _daemon_set(obj: Object, status: Object) -> bool:
    desired = status.get("desiredNumberScheduled")
    if desired is None or status.get("observedGeneration") is None:
        return False
    return all(status.get(count, 0) >= desired for count in ("updatedNumberScheduled", "numberAvailable"))


def _job(obj: Object, status: Object) -> bool:
    # Flux accepts a Job that has started and has not failed.
    return _condition(status, "Failed") != "True" and bool(status.get("startTime"))


_CHECKS: Mapping[str, Callable[[Object, Object], bool]] = {
    "Deployment": _replicated("updatedReplicas", "replicas", "availableReplicas"),
    "StatefulSet": _replicated("readyReplicas", "updatedReplicas"),
    "DaemonSet": _daemon_set,
    "Job": _job,
    "HelmRelease": _custom,
    "Kustomization": _custom,
}
