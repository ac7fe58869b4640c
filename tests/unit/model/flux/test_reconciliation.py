"""The fold over a watch: what is ready, when to stop, whom to nudge."""

from __future__ import annotations

from typing import Any

from devloop.model.causes.environment import Diagnosis
from devloop.model.causes.expected import Expected
from devloop.model.flux.reconciliation import FIRST_CHECK, LONG_CHECK, Reconciliation
from devloop.model.kubernetes.objects import ObjectId

REVISION = "main@sha1:bbb"
ROOT, INFRA, APPS = (ObjectId("flux-system", name) for name in ("flux-system", "infra", "apps"))
LATER = FIRST_CHECK * 2


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


CHECKING = [{"type": "Healthy", "status": "Unknown", "reason": "Progressing"}, {"type": "Reconciling", "status": "True"}]


def state(*objects: dict[str, Any]) -> Reconciliation:
    result = Reconciliation(Expected(REVISION, {ROOT: (), INFRA: (ROOT,), APPS: (ROOT, INFRA)}), 0.0)
    for obj in objects:
        result.observe("ADDED", obj, 0.0)
    return result


def is_final(result: Reconciliation, now: float = 1.0) -> bool:
    return Diagnosis(result, now, 1000.0 + now).is_final()


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


def test_a_running_health_check_is_nudged_when_its_targets_became_healthy_after_its_first_look() -> None:
    waiting = kustomization(APPS, "Unknown", "Progressing", wait=True, conditions=CHECKING, inventory=["shop_web_apps_Deployment"])
    result = state(waiting, deployment(0))
    assert list(result.nudges(LATER)) == []
    result.observe("MODIFIED", deployment(1, "2"), 0.1)
    assert list(result.nudges(FIRST_CHECK / 2)) == []
    assert list(result.nudges(LATER)) == [APPS]
    result.nudged(APPS, "1")
    assert list(result.nudges(LONG_CHECK * 2)) == []


def test_what_was_healthy_before_the_health_check_began_is_left_to_its_first_look() -> None:
    result = state(deployment(1))
    waiting = kustomization(APPS, "Unknown", "Progressing", wait=True, conditions=CHECKING, inventory=["shop_web_apps_Deployment"])
    result.observe("ADDED", waiting, 5.0)
    assert list(result.nudges(5.0 + LATER)) == []
    assert list(result.nudges(5.0 + LONG_CHECK)) == [APPS]


def test_a_dependent_is_nudged_the_moment_that_its_dependencies_are_ready() -> None:
    waiting = kustomization(APPS, "False", "DependencyNotReady", needs=["infra"])
    result = state(kustomization(ROOT), waiting)
    assert list(result.nudges(0.0)) == []
    result.observe("ADDED", kustomization(INFRA), 0.0)
    assert list(result.nudges(0.0)) == [APPS]


def test_a_failure_is_nudged_again_when_something_else_became_ready() -> None:
    result = state(kustomization(ROOT), kustomization(APPS, "False", "ReconciliationFailed"))
    assert list(result.nudges(LATER)) == [APPS]
    result.nudged(APPS, "1")
    result.observe("MODIFIED", kustomization(APPS, "False", "ReconciliationFailed", lastHandledReconcileAt="1"), LATER)
    assert list(result.nudges(LATER * 3)) == []
    result.observe("ADDED", kustomization(INFRA), LATER)
    assert list(result.nudges(LATER * 3)) == [APPS]


def test_an_unanswered_nudge_keeps_a_failure_from_being_final() -> None:
    result = state(kustomization(ROOT), kustomization(INFRA), kustomization(APPS, "False", "ReconciliationFailed"))
    assert is_final(result, LATER)
    assert list(result.nudges(LATER)) == [APPS]
    result.nudged(APPS, "1")
    assert not is_final(result, LATER)


def test_excluded_ones_are_not_waited_for() -> None:
    result = Reconciliation(Expected(REVISION, {ROOT: (), APPS: (ROOT,)}, frozenset({APPS})), 0.0)
    result.observe("ADDED", kustomization(ROOT), 0.0)
    assert result.healthy(1.0)


def test_seconds_count_from_the_start_of_the_wait_to_ready() -> None:
    result = state()
    result.observe("ADDED", kustomization(ROOT), 2.5)
    assert result.kustomizations(9.0)[0].seconds == 2.5
