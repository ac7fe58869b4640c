"""When an object counts as healthy."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.kubernetes.health import HELM_FAILURES, is_current, is_failed


def obj(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"generation": 3}, "spec": spec, "status": status}


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
        (obj("StatefulSet", {"observedGeneration": 3, "readyReplicas": 1, "updatedReplicas": 1}), True),
        (obj("StatefulSet", {"observedGeneration": 3, "readyReplicas": 0, "updatedReplicas": 1}), False),
        (obj("DaemonSet", {"observedGeneration": 3, "desiredNumberScheduled": 0}), True),
        (obj("DaemonSet", {"observedGeneration": 3, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1}), False),
        (obj("Job", {"startTime": "2020-01-01T00:00:00Z"}), True),
        (obj("Job", {"startTime": "2020-01-01T00:00:00Z", "conditions": [{"type": "Failed", "status": "True"}]}), False),
        (obj("HelmRelease", {"observedGeneration": 3, "conditions": [{"type": "Ready", "status": "True"}]}), True),
        (obj("HelmRelease", {}), False),
        (obj("ConfigMap", {}), True),
        (obj("Certificate", {"conditions": [{"type": "Ready", "status": "False"}]}), False),
        ({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}, False),
    ],
)
def test_is_current(candidate: dict[str, Any], expected: bool) -> None:
    assert is_current(candidate) is expected


UNRELEASED = [{"type": "Released", "status": "False"}, {"type": "Ready", "status": "False"}]


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (obj("HelmRelease", {"conditions": UNRELEASED, "failures": HELM_FAILURES, "lastAttemptedGeneration": 3}), True),
        (obj("HelmRelease", {"conditions": UNRELEASED, "failures": HELM_FAILURES - 1, "lastAttemptedGeneration": 3}), False),
        (obj("HelmRelease", {"conditions": UNRELEASED, "failures": HELM_FAILURES, "lastAttemptedGeneration": 2}), False),
        (obj("HelmRelease", {"conditions": [{"type": "Stalled", "status": "True"}]}), True),
        (obj("HelmRelease", {"conditions": [{"type": "Ready", "status": "False"}], "failures": 50, "lastAttemptedGeneration": 3}), False),
        (obj("Job", {"conditions": [{"type": "Failed", "status": "True"}]}), True),
        (obj("Deployment", {}), False),
    ],
)
def test_is_failed(candidate: dict[str, Any], expected: bool) -> None:
    assert is_failed(candidate) is expected
