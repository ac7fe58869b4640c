"""Simulated pods that fail on request, on a real control plane."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.clients.kube import PODS, Resource
from devloop.provisioners.embedded.simulated_failures import ANNOTATION

from .embedded_places import SERVICE_ACCOUNTS, Place, condition, until

JOBS = Resource("batch/v1", "jobs")
EVENTS = Resource("v1", "events")


# Annotation -> state, reason, exit code of the last termination, warning.
FAILING = {
    "image-pull": ("waiting", "ImagePullBackOff", None, "Error: ImagePullBackOff"),
    "image-name": ("waiting", "InvalidImageName", None, "Error: InvalidImageName"),
    "config": ("waiting", "CreateContainerConfigError", None, ""),
    "pending": ("waiting", "ContainerCreating", None, ""),
    "volume": ("waiting", "ContainerCreating", None, "MountVolume.SetUp failed"),
    "start": ("waiting", "CrashLoopBackOff", 128, "Back-off restarting failed container"),
    "crash": ("waiting", "CrashLoopBackOff", 1, "Back-off restarting failed container"),
    "crash=3": ("waiting", "CrashLoopBackOff", 3, "Back-off restarting failed container"),
    "out-of-memory": ("waiting", "CrashLoopBackOff", 137, "Back-off restarting failed container"),
    "readiness": ("running", "", None, "Readiness probe failed"),
    "liveness": ("waiting", "CrashLoopBackOff", 137, "Liveness probe failed"),
}


@pytest.mark.parametrize("failure", FAILING)
def test_a_pod_fails_as_its_annotation_says(cluster: Place, failure: str) -> None:
    kube, name = cluster.kube, "fails-" + failure.replace("=", "-")
    until(lambda: kube.get(SERVICE_ACCOUNTS, "default", "default"))
    metadata = {"name": name, "annotations": {ANNOTATION: failure}}
    spec = {"containers": [{"name": "web", "image": "example.com/web", "envFrom": [{"configMapRef": {"name": "settings"}}]}]}
    kube.request("POST", PODS.path("default"), {"metadata": metadata, "spec": spec})
    state, reason, exit_code, warning = FAILING[failure]

    def seen() -> dict[str, Any] | None:
        pod = kube.get(PODS, name, "default") or {}
        [container] = (pod.get("status") or {}).get("containerStatuses") or [{"state": {}}]
        return pod if (container["state"].get(state) or {}).get("reason", "") == reason and state in container["state"] else None

    pod = until(seen)
    [container] = pod["status"]["containerStatuses"]
    assert not condition(pod, "Ready")
    assert ((container.get("lastState") or {}).get("terminated") or {}).get("exitCode") == exit_code
    assert bool(container["restartCount"]) == (exit_code is not None)
    assert failure != "config" or container["state"]["waiting"]["message"] == 'configmap "settings" not found'
    until(lambda: any(e["involvedObject"]["name"] == name and warning in e["message"] for e in kube.list(EVENTS, "default")))


def test_a_pod_of_a_job_that_fails_by_its_annotation_fails_the_job(cluster: Place) -> None:
    template = {
        "metadata": {"annotations": {ANNOTATION: "crash=4"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/job"}]},
    }
    cluster.kube.request("POST", JOBS.path("default"), {"metadata": {"name": "fails"}, "spec": {"backoffLimit": 0, "template": template}})
    until(lambda: condition(cluster.kube.get(JOBS, "fails", "default"), "Failed"))
