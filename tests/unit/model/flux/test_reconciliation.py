"""The fold over a watch: what is ready, when to stop, whom to nudge."""

from __future__ import annotations

from typing import Any

from devloop.model.causes import finality
from devloop.model.causes.environment import Diagnosis
from devloop.model.causes.expected import Expected
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.objects import ObjectId

REVISION = "main@sha1:bbb"
ROOT, INFRA, APPS = (ObjectId("flux-system", name) for name in ("flux-system", "infra", "apps"))


def kustomization(object_id: ObjectId, ready: str = "True", reason: str = "ReconciliationSucceeded", **more: Any) -> dict[str, Any]:
    spec = {"dependsOn": [{"name": name} for name in more.pop("needs", ())], "wait": more.pop("wait", False)}
    conditions = [{"type": "Ready", "status": ready, "reason": reason}, *more.pop("conditions", ())]
    status = {
        "observedGeneration": 1,
        "lastAppliedRevision": REVISION if ready == "True" else "",
        "lastAttemptedRevision": REVISION,
        "conditions": conditions,
        "inventory": {"entries": [{"id": entry} for entry in more.pop("inventory", ())]},
        **more,
    }
    metadata = {"name": object_id.name, "namespace": object_id.namespace, "generation": 1}
    return {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata, "spec": spec, "status": status}


def deployment(available: int, version: str = "1") -> dict[str, Any]:
    counts = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available}
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps"}
    metadata = {"name": "web", "namespace": "shop", "generation": 1, "labels": labels, "resourceVersion": version}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}, "status": counts}


CHECKING = [
    {"type": "Healthy", "status": "Unknown", "reason": "Progressing"},
    {"type": "Reconciling", "status": "True", "message": f"Running health checks for revision {REVISION} with a timeout of 5m0s"},
]


def state(*objects: dict[str, Any]) -> Reconciliation:
    result = Reconciliation(Expected(REVISION, {ROOT: (), INFRA: (ROOT,), APPS: (ROOT, INFRA)}), 0.0)
    for obj in objects:
        result.observe("ADDED", obj, 0.0)
    return result


def is_final(result: Reconciliation, now: float = 1.0) -> bool:
    return finality.is_final(Diagnosis(result, now, 1000.0 + now))


def test_nothing_is_healthy_before_everything_expected_exists() -> None:
    assert not state(kustomization(ROOT)).healthy(1.0)
    assert state(kustomization(ROOT), kustomization(INFRA), kustomization(APPS)).healthy(1.0)


def test_a_workload_that_nobody_waits_for_still_has_to_be_available() -> None:
    everything = [kustomization(k) for k in (ROOT, INFRA, APPS)]
    assert not state(*everything, deployment(0)).healthy(1.0)
    assert state(*everything, deployment(1)).healthy(1.0)


def test_it_is_settled_when_all_that_is_missing_waits_for_a_failure() -> None:
    failed = kustomization(INFRA, "False", "BuildFailed")
    blocked = kustomization(APPS, "False", "DependencyNotReady", needs=["infra"])
    busy = kustomization(APPS, "Unknown", "Progressing")
    assert is_final(state(kustomization(ROOT), failed, blocked))
    assert not is_final(state(kustomization(ROOT), failed, busy))
    assert not is_final(state(kustomization(ROOT), kustomization(INFRA), kustomization(APPS)))


def test_a_health_check_that_waits_for_what_will_not_come_is_no_progress() -> None:
    waiting = kustomization(APPS, "Unknown", "Progressing", wait=True, conditions=CHECKING, inventory=["shop_web_apps_Deployment"])
    stalled = deployment(0)
    stalled["status"]["conditions"] = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    everything = [kustomization(ROOT), kustomization(INFRA), waiting]
    assert not is_final(state(*everything, deployment(0)))
    assert is_final(state(*everything, stalled))


def test_what_a_failed_parent_never_created_does_not_keep_it_open() -> None:
    assert is_final(state(kustomization(ROOT, "False", "BuildFailed")))


def test_excluded_ones_are_not_waited_for() -> None:
    result = Reconciliation(Expected(REVISION, {ROOT: (), APPS: (ROOT,)}, frozenset({APPS})), 0.0)
    result.observe("ADDED", kustomization(ROOT), 0.0)
    assert result.healthy(1.0)


def test_seconds_count_from_the_start_of_the_wait_to_ready() -> None:
    result = state()
    result.observe("ADDED", kustomization(ROOT), 2.5)
    assert result.kustomizations(9.0)[0].seconds == 2.5


def test_nothing_is_healthy_before_its_own_sources_are_at_the_revision() -> None:
    result = Reconciliation(Expected(REVISION, {ROOT: ()}, sources=(ROOT,)), 0.0)
    result.observe("ADDED", kustomization(ROOT), 0.0)
    assert (result.healthy(1.0), list(map(str, result.unfetched()))) == (False, ["GitRepository/flux-system/flux-system"])
    for revision, healthy in (("main@sha1:aaa", False), (REVISION, True)):
        metadata = {"name": ROOT.name, "namespace": ROOT.namespace}
        source = {"kind": "GitRepository", "metadata": metadata, "status": {"artifact": {"revision": revision}}}
        result.observe("MODIFIED", source, 1.0)
        assert result.healthy(1.0) is healthy
