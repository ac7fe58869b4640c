"""When an object counts as healthy."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.kubernetes.health import is_available, is_current


def obj(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"generation": 3}, "spec": spec, "status": status}


PARTLY = {"observedGeneration": 3, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 1}
SCHEDULED = {"observedGeneration": 3, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2}
AVAILABLE = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (obj("Deployment", AVAILABLE, replicas=2), True),
        (obj("Deployment", {**AVAILABLE, "observedGeneration": 2}, replicas=2), False),
        (obj("Deployment", {**AVAILABLE, "availableReplicas": 1}, replicas=2), False),
        (obj("Deployment", {**AVAILABLE, "replicas": 3}, replicas=2), False),
        (obj("Deployment", {}, replicas=2), False),
        (obj("Deployment", {"observedGeneration": 3}, replicas=0), True),
        (obj("StatefulSet", {"observedGeneration": 3, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}), True),
        (obj("StatefulSet", {"observedGeneration": 3, "readyReplicas": 0, "updatedReplicas": 1}), False),
        (obj("DaemonSet", {"observedGeneration": 3, "desiredNumberScheduled": 0}), True),
        (obj("DaemonSet", {"observedGeneration": 3, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1}), False),
        (obj("Job", {"startTime": "2020-01-01T00:00:00Z"}), True),
        (obj("Job", {"startTime": "2020-01-01T00:00:00Z", "conditions": [{"type": "Failed", "status": "True"}]}), False),
        (obj("HelmRelease", {"observedGeneration": 3, "conditions": [{"type": "Ready", "status": "True"}]}), True),
        (obj("HelmRelease", {}), False),
        (obj("ConfigMap", {}), True),
        (obj("Certificate", {"conditions": [{"type": "Ready", "status": "False"}]}), False),
        (obj("Certificate", {"conditions": [{"type": "Reconciling", "status": "True"}]}), False),
        ({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}, False),
    ],
)
def test_is_current(candidate: dict[str, Any], expected: bool) -> None:
    assert is_current(candidate) is expected


@pytest.mark.parametrize(
    ("candidate", "current", "available"),
    [
        (obj("Deployment", {**AVAILABLE, "updatedReplicas": 0}, replicas=2, paused=True), False, True),
        (obj("StatefulSet", PARTLY, replicas=2, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}), True, True),
        (obj("StatefulSet", PARTLY, replicas=2, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}), False, False),
        (obj("StatefulSet", PARTLY, replicas=2, updateStrategy={"type": "OnDelete"}), True, True),
        (obj("StatefulSet", {**PARTLY, "readyReplicas": 1}, replicas=2, updateStrategy={"type": "OnDelete"}), True, False),
        (obj("DaemonSet", SCHEDULED, updateStrategy={"type": "OnDelete"}), False, True),
        (obj("DaemonSet", SCHEDULED, updateStrategy={"type": "RollingUpdate"}), False, False),
        (obj("Job", {}, suspend=True), False, True),
        (obj("Job", {}), False, False),
    ],
)
def test_kstatus_and_what_a_workload_is_asked_for_differ(candidate: dict[str, Any], current: bool, available: bool) -> None:
    assert (is_current(candidate), is_available(candidate)) == (current, available)


def test_nothing_that_is_being_deleted_is_available() -> None:
    assert not is_available({"kind": "Deployment", "metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}, "spec": {"paused": True}})
