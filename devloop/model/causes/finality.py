"""Whether waiting any longer helps. No I/O."""

from __future__ import annotations

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.environment import Diagnosis
from devloop.model.causes.refusals import named_missing
from devloop.model.flux.names import KUSTOMIZATION
from devloop.model.flux.reconciliation import Reconciliation, owner_of
from devloop.model.kubernetes.health import is_available
from devloop.model.kubernetes.objects import ObjectId

# Causes about objects that an operator may still make.
OFTEN_MADE = frozenset({
    "pod/config-missing", "kustomization/variables-missing", "release/values", "volume/pending", "workload/not-created",
})  # fmt: skip
# In a new namespace or cluster, a moment later: the service account, the certificate, and the storage class of Kind.
MADE_BY_CLUSTER = frozenset({("serviceaccount", "default"), ("configmap", "kube-root-ca.crt"), ("storageclass", "standard")})


def is_final(diagnosis: Diagnosis) -> bool:
    """Whether nothing will change without another revision: all that is not ready failed for good, or depends on something that did."""
    waiting = {k.id: k for k in diagnosis.kustomizations if not (k.ready or k.suspended)}
    final = [cause for cause in diagnosis.all if _is_final(cause, diagnosis)]
    stuck = waiting.keys() & {cause.kustomization for cause in final}
    before = {name: {*k.depends_on, *diagnosis.awaited[name]} for name, k in waiting.items()}
    while newly := {name for name in waiting.keys() - stuck if not stuck.isdisjoint(before[name])}:
        stuck |= newly
    unattended = [cause for cause in diagnosis.all if cause.kustomization not in waiting]
    return bool(final) and stuck == waiting.keys() and all(cause in final for cause in unattended)


def _is_final(cause: Cause, diagnosis: Diagnosis) -> bool:
    """An attempt that failed before something else became ready may succeed the next time; operators make Secrets and workloads."""
    state = diagnosis.state
    if not cause.final or (cause.id in OFTEN_MADE and _may_come(cause, state)):
        return False
    if not cause.attempted:
        return True
    progress_at = state.progress_beside(_above(cause, state))
    is_last = progress_at == float("-inf") or cause.attempted >= int(diagnosis.clock - (diagnosis.now - progress_at))
    return is_last and not _others_start(state)


def _may_come(cause: Cause, state: Reconciliation) -> bool:
    """Whether the object that is missing is rendered, or may be made by the cluster or an operator."""
    named = named_missing(cause.message)
    if named is None and cause.id in ("volume/pending", "workload/not-created"):
        return False
    rendered = any((each.kind.lower(), each.name) == named for each in state.expected.refs)
    return rendered or state.expected.has_operators or named in MADE_BY_CLUSTER


def _others_start(state: Reconciliation) -> bool:
    """Whether workloads that Flux did not apply are on their way."""
    others = (each for each in state.observed.of_kind("Deployment", "StatefulSet", "DaemonSet") if not owner_of(each))
    return any(not is_available(each) for each in others)


def _above(cause: Cause, state: Reconciliation) -> frozenset[ObjectRef]:
    """The object, its HelmRelease and its Kustomizations, which become ready because of it and not the other way round."""
    owner = owner_of(state.observed.get(cause.object) or {})
    refs = {cause.object, *([owner] if owner else [])}
    namespace, _, name = cause.kustomization.partition("/")
    own = ObjectId(namespace, name) if name else None
    while own and (ref := ObjectRef(KUSTOMIZATION, own.namespace, own.name)) not in refs:
        refs.add(ref)
        own = next(iter(state.expected.kustomizations.get(own, ())), None)
    return frozenset(refs)
