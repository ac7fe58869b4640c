"""Why a PersistentVolumeClaim has no volume. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.observed import Observed, metadata
from devloop.model.causes.refusals import named_missing
from devloop.model.causes.times import seconds
from devloop.model.kubernetes.conditions import condition
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import one_line

KIND = "PersistentVolumeClaim"


CLASSES_COME = 15.0  # seconds: a new cluster has no storage class for a moment


def claim_cause(claim: Object, observed: Observed, now: float) -> Cause:
    """From the warnings about it, else from its storage class; `now` in seconds since 1970."""
    is_old = now - seconds(metadata(claim).get("creationTimestamp")) >= CLASSES_COME
    ref, spec = ObjectRef.of(claim), claim.get("spec") or {}
    if metadata(claim).get("deletionTimestamp"):
        return Cause("object/terminating", ref, "it is being deleted")
    said = [one_line(warning.get("message", "")) for warning in observed.warnings(claim)]
    if said:
        return Cause("volume/pending", ref, said[-1], final=bool(named_missing(said[-1])))
    if not spec.get("storageClassName") and not spec.get("volumeName"):
        return Cause("volume/pending", ref, "it names no storage class, and the cluster has no default one", final=is_old)
    return Cause("volume/pending", ref, f"it waits for a volume of the storage class {spec.get('storageClassName') or 'that it names'}")


def pending_claims(observed: Observed) -> Iterator[ObjectRef]:
    """The claims of pods that wait for their volumes."""
    for pod in observed.of_kind("Pod"):
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False" and "persistentvolumeclaim" in str(scheduled.get("message", "")).lower():
            namespace = metadata(pod).get("namespace", "")
            for volume in (pod.get("spec") or {}).get("volumes") or ():
                if name := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
                    yield ObjectRef(KIND, namespace, name)
