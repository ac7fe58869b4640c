"""Why a HelmRelease is not ready. No I/O."""

from __future__ import annotations

import re
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

VALUES = re.compile(r'(configmap|secret)s? "([^"]+)" not found', re.IGNORECASE)


def release_causes(state: Reconciliation, release: Object, unavailable: Sequence[Object], clock: float) -> Iterator[Cause]:
    """The source or chart first, then its workloads that are not available, then what helm-controller says."""
    ref, observed = ObjectRef.of(release), state.observed
    if metadata(release).get("deletionTimestamp"):
        yield Cause("object/terminating", ref, f"it is being deleted{finalizers(release)}")
        return
    cause = release_cause(release)
    workloads = unavailable if is_attempted(release, observed) else ()
    if source := chart_cause(release, observed):
        yield source
    elif workloads and (cause is None or cause.id in ("release/failed", "release/hook")):
        for workload in workloads:
            yield from workload_causes(observed, workload, clock)
    elif cause:
        yield replace(cause, final=cause.final or _lacks_values(cause, state))
        yield from (found for hook in _hooks(state, ref, cause) for found in workload_causes(observed, hook, clock))
    else:
        ready = condition(release, "Ready")
        text = f"{ready.get('reason', 'Pending')}: {one_line(ready.get('message', 'not reconciled yet'))}"
        yield Cause("release/progressing", ref, text)


def _lacks_values(cause: Cause, state: Reconciliation) -> bool:
    """Whether the values are in an object that nothing renders."""
    named = VALUES.search(cause.message)
    if not named or cause.id != "release/values":
        return False
    kind = "ConfigMap" if named[1].lower() == "configmap" else "Secret"
    return not any((each.kind, each.name) == (kind, named[2]) for each in state.expected.objects)


def _hooks(state: Reconciliation, release: ObjectRef, cause: Cause) -> list[Object]:
    """The failed Jobs of its hooks, if they are why it failed."""
    jobs = state.observed.of_kind("Job") if cause.id == "release/hook" else ()
    return [job for job in jobs if owner_of(job) == release and is_hook(job) and not is_available(job)]
