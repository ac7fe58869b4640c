"""Why a HelmRelease is not ready. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.charts import chart_cause
from devloop.model.causes.flux import finalizers, release_cause
from devloop.model.causes.observed import metadata
from devloop.model.causes.workloads import workload_causes
from devloop.model.flux.reconciliation import Reconciliation, is_hook, owner_of
from devloop.model.flux.releases import is_attempted
from devloop.model.kubernetes.conditions import condition
from devloop.model.kubernetes.health import is_available
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import one_line


def release_causes(state: Reconciliation, release: Object, unavailable: Sequence[Object], now: float, clock: float) -> Iterator[Cause]:
    """The source or chart first, then its workloads that are not available, then what helm-controller says."""
    ref, observed = ObjectRef.of(release), state.observed
    if metadata(release).get("deletionTimestamp"):
        yield Cause("object/terminating", ref, f"it is being deleted{finalizers(release)}")
        return
    cause = release_cause(release, clock)
    workloads = unavailable if is_attempted(release, observed) else ()
    if source := chart_cause(release, state, now):
        yield source
    elif workloads and (cause is None or cause.id in ("release/failed", "release/hook")):
        for workload in workloads:
            yield from workload_causes(observed, workload, clock)
    elif cause:
        # What became ready since the last failure may help the next attempt; chart and values alone decide what a template renders.
        is_own_fault = cause.id in ("release/render", "release/values") and not (release.get("spec") or {}).get("valuesFrom")
        is_counted = (release.get("status") or {}).get("failures", 0) > 0 and not is_own_fault
        yield replace(cause, attempted=max(1.0, clock - (now - state.failed_at[ref])) if is_counted else 0.0)
        yield from (found for hook in _hooks(state, ref, cause) for found in workload_causes(observed, hook, clock))
    else:
        ready = condition(release, "Ready")
        text = f"{ready.get('reason', 'Pending')}: {one_line(ready.get('message', 'not reconciled yet'))}"
        yield Cause("release/progressing", ref, text)


def _hooks(state: Reconciliation, release: ObjectRef, cause: Cause) -> list[Object]:
    """The failed Jobs of its hooks, if they are why it failed."""
    jobs = state.observed.of_kind("Job") if cause.id == "release/hook" else ()
    return [job for job in jobs if owner_of(job) == release and is_hook(job) and not is_available(job)]
