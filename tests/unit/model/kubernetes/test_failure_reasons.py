"""What the cluster itself says of a workload that is not healthy."""

from __future__ import annotations

from typing import Any

from devloop.model.kubernetes.failure_reasons import failure_reasons

TARGET: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
    "status": {"availableReplicas": 1},
}


def pod(app: str = "web", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": f"{app}-1", "labels": {"app": app}}, "status": status}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": reason, "message": message}}}]}


def event(name: str, reason: str, kind: str = "Warning") -> dict[str, Any]:
    return {"type": kind, "reason": reason, "message": "said so", "involvedObject": {"name": name}}


def test_a_container_that_waits_tells_why() -> None:
    assert failure_reasons(TARGET, [pod(**waiting("ImagePullBackOff", "no such\n  image"))], []) == (
        "Deployment/shop/web: container c: ImagePullBackOff: no such image",
    )


def test_starting_is_no_cause_and_other_pods_do_not_count() -> None:
    pods = [pod(**waiting("ContainerCreating")), pod("other", **waiting("CrashLoopBackOff"))]
    assert failure_reasons(TARGET, pods, []) == ("Deployment/shop/web: 1 of 2 available",)


def test_what_cannot_be_scheduled_and_what_conditions_say() -> None:
    unscheduled = pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "no node fits"}])
    refused = {**TARGET, "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota exceeded"}]}}
    assert failure_reasons(refused, [unscheduled], []) == (
        "Deployment/shop/web: cannot be scheduled: no node fits",
        "Deployment/shop/web: quota exceeded",
    )


def test_the_last_warnings_of_the_object_and_its_pods() -> None:
    events = [event("web", "A"), event("web-1", "B"), event("web", "C"), event("web", "Fine", "Normal"), event("other", "D")]
    assert failure_reasons(TARGET, [pod()], events) == ("Deployment/shop/web: B: said so", "Deployment/shop/web: C: said so")


def test_the_same_line_is_told_once_and_never_more_than_four() -> None:
    pods = [pod(**waiting("CrashLoopBackOff", str(number // 2))) for number in range(20)]
    lines = failure_reasons(TARGET, pods, [])
    assert len(lines) == len(set(lines)) == 4


def test_an_event_that_repeats_a_condition_is_not_told_again() -> None:
    failed = {**TARGET, "status": {"conditions": [{"type": "Ready", "status": "False", "message": "said so"}]}}
    combined = {**event("web", "UpgradeFailed"), "message": "(combined from similar events): said so"}
    assert failure_reasons(failed, [], [event("web", "UpgradeFailed"), combined]) == ("Deployment/shop/web: said so",)
