"""Whether an object has become what its spec asks for, as Flux judges it (kstatus: "Current"). Pure; unknown kinds count as current."""

from collections.abc import Callable, Mapping

from devloop.model.kubernetes.objects import Object

# helm-controller goes on for ever with an action that fails before there is a release; its pauses double from 20 ms, so that eight
# failures are five seconds of trying.
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
    """Whether `obj` will not become healthy without a change: it is given up, or the same action failed time and again."""
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


def _deployment(obj: Object, status: Object) -> bool:
    wanted = (obj.get("spec") or {}).get("replicas", 1)
    counts = (status.get("updatedReplicas", 0), status.get("replicas", 0), status.get("availableReplicas", 0))
    return status.get("observedGeneration") is not None and all(count == wanted for count in counts)


def _stateful_set(obj: Object, status: Object) -> bool:
    wanted = (obj.get("spec") or {}).get("replicas", 1)
    return status.get("observedGeneration") is not None and status.get("readyReplicas", 0) == wanted == status.get("updatedReplicas", 0)


def _daemon_set(obj: Object, status: Object) -> bool:
    wanted = status.get("desiredNumberScheduled")
    return (
        wanted is not None
        and status.get("observedGeneration") is not None
        and status.get("updatedNumberScheduled", 0) >= wanted
        and status.get("numberAvailable", 0) >= wanted
    )


def _job(obj: Object, status: Object) -> bool:
    # Flux takes a Job that has started as good; one that failed is not.
    return _condition(status, "Failed") != "True" and bool(status.get("startTime"))


_CHECKS: Mapping[str, Callable[[Object, Object], bool]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "HelmRelease": _custom,
    "Kustomization": _custom,
}
