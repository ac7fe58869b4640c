"""Why a workload is not available: only what belongs to its current pods counts."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.causes.cause import Cause
from devloop.model.causes.observed import Observed
from devloop.model.causes.workloads import workload_causes

from .objects import NOW, at, deployment, ended, pod, replica_set, running, waiting, warning

CRASHED = waiting("CrashLoopBackOff", lastState=ended(), restartCount=2)
TIMED_OUT = "timed out waiting for the condition"
BEHIND = "services have not yet been read at least once, cannot construct envvars"
PROBE = 'Readiness probe failed: Get "http://10.0.0.1:80/": connection refused'


def causes(workload: dict[str, Any], *objects: dict[str, Any]) -> tuple[Cause, ...]:
    observed = Observed()
    for obj in (workload, *objects):
        observed.take("ADDED", obj)
    return workload_causes(observed, workload, NOW)


def only(*objects: dict[str, Any], **status: Any) -> Cause:
    [cause] = causes(deployment(**status), replica_set(1), *objects)
    return cause


@pytest.mark.parametrize(
    ("container", "identifier", "text", "final"),
    [
        (waiting("ErrImagePull", "not found"), "pod/image-pull", "cannot pull the image example.com/web:1: not found", True),
        (waiting("ErrImagePull", "dial tcp: i/o timeout"), "pod/image-pull", "i/o timeout", False),
        (
            waiting("ErrImagePull", 'failed to pull and unpack image "a": failed to resolve reference "a": a: not found'),
            "pod/image-pull",
            "cannot pull the image example.com/web:1: a: not found",
            True,
        ),
        (
            waiting("ImagePullBackOff", 'Back-off pulling image "a": ErrImagePull: connection refused'),
            "pod/image-pull",
            "1: connection refused",
            True,
        ),
        (waiting("InvalidImageName", "couldn't parse"), "pod/image-name", "example.com/web:1 is not an image reference", True),
        (waiting("CreateContainerConfigError", 'configmap "x" not found'), "pod/config-missing", 'configmap "x" not found', True),
        (waiting("CreateContainerConfigError", "couldn't find key a in Secret shop/x"), "pod/config-missing", "key a in Secret", True),
        (waiting("CreateContainerConfigError", "image will run as root"), "pod/start-failed", "run as root", True),
        (waiting("CreateContainerConfigError", f"failed to sync configmap cache: {TIMED_OUT}"), "pod/start-failed", TIMED_OUT, False),
        (waiting("CreateContainerConfigError", BEHIND), "pod/start-failed", BEHIND, False),
        (waiting("CreateContainerError", "context deadline exceeded"), "pod/start-failed", "deadline exceeded", False),
        (waiting("CreateContainerError", "no such file"), "pod/start-failed", "no such file", True),
        (CRASHED, "pod/crash", "exited with code 3, restarted 2 times", True),
        (waiting("CrashLoopBackOff", lastState=ended(137, "OOMKilled")), "pod/out-of-memory", "(limit 64Mi, exit code 137)", True),
        ({"name": "web", "ready": False, "state": ended(), "restartCount": 0}, "pod/crash", "exited with code 3", False),
        (running(-30, ready=False), "pod/not-ready", "it runs and is not ready yet", False),
    ],
)
def test_the_state_of_a_container_tells_why(container: dict[str, Any], identifier: str, text: str, final: bool) -> None:
    cause = only(pod(container))
    assert (cause.id, cause.final, str(cause.object)) == (identifier, final, "Deployment/shop/web")
    assert text in cause.message


def test_a_crash_names_the_container_whose_log_tells_more_and_the_attempt() -> None:
    cause = only(pod(CRASHED))
    assert cause.container == ("shop", "web-1-a", "web", True)
    assert cause.attempted == NOW - 20


def test_a_container_that_runs_again_has_to_run_longer_than_before() -> None:
    before = {"lastState": ended(began=-100, end=-40), "restartCount": 1}
    assert only(pod(running(-30, **before))).id == "pod/crash"
    assert only(pod(running(-70, **before))).id == "workload/not-available"


def test_a_startup_probe_kills_as_a_liveness_probe_does() -> None:
    said = warning("web-1-a", "Unhealthy", "Startup probe failed: connection refused", -11)
    cause = only(pod(waiting("CrashLoopBackOff", lastState=ended(137, "Error"), restartCount=1)), said)
    assert (cause.id, "connection refused" in cause.message) == ("pod/liveness", True)


def test_init_containers_that_ended_are_no_cause_and_those_that_fail_are() -> None:
    done = {"name": "setup", "ready": True, "restartCount": 1, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    assert only(pod(waiting("PodInitializing"), initContainerStatuses=[done])).id == "workload/not-available"
    failing = waiting("CrashLoopBackOff", lastState=ended(), restartCount=2) | {"name": "setup"}
    assert "container setup exited with code 3" in only(pod(waiting("PodInitializing"), initContainerStatuses=[failing])).message


def test_a_server_that_ends_without_an_error_is_a_crash() -> None:
    cause = only(pod(waiting("CrashLoopBackOff", lastState=ended(0, "Completed"), restartCount=2)))
    assert "exited with code 0, restarted 2 times" in cause.message


def test_a_node_that_was_stopped_is_no_crash() -> None:
    waits = pod(waiting("ContainerCreating", lastState=ended(255, "Unknown"), restartCount=1))
    assert only(waits).id == "workload/not-available"
    assert only(pod(running(-3, lastState=ended(255, "Unknown"), restartCount=1))).id == "workload/not-available"


def test_pods_of_an_earlier_revision_or_being_deleted_do_not_count() -> None:
    old, doomed = pod(CRASHED, name="web-1-a"), pod(CRASHED, revision=2, name="web-2-b")
    doomed["metadata"]["deletionTimestamp"] = at(0)
    fresh = pod(waiting("ContainerCreating"), revision=2, name="web-2-a", phase="Pending")
    found = causes(deployment(), replica_set(1), replica_set(2), old, doomed, fresh)
    assert [cause.id for cause in found] == ["workload/not-available"]


def test_replicas_with_the_same_cause_are_one_cause() -> None:
    found = causes(deployment(), replica_set(1), pod(CRASHED), pod(CRASHED, name="web-1-b"))
    assert [cause.id for cause in found] == ["pod/crash"]


def test_probes_count_since_the_container_started_and_for_this_very_pod() -> None:
    slow = pod(running(-30, ready=False))
    assert PROBE in only(slow, warning("web-1-a", "Unhealthy", PROBE, -5)).message
    assert PROBE not in only(slow, warning("web-1-a", "Unhealthy", PROBE, -60)).message
    assert PROBE not in only(slow, warning("another", "Unhealthy", PROBE, -5)).message


def test_a_container_that_its_liveness_probe_killed() -> None:
    said = warning("web-1-a", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", -11)
    cause = only(pod(waiting("CrashLoopBackOff", lastState=ended(137, "Error"), restartCount=1)), said)
    assert (cause.id, cause.final) == ("pod/liveness", True)
    assert "statuscode: 500" in cause.message


LASTING = "workload/not-created!"  # final at once


def test_a_container_whose_program_does_not_exist() -> None:
    said = 'exec: "serve": executable file not found in $PATH'
    last = ended(128, "StartError")
    last["terminated"]["message"] = said
    cause = only(pod(waiting("CrashLoopBackOff", lastState=last, restartCount=1)))
    assert (cause.id, cause.final) == ("pod/start-failed", True)
    assert said in cause.message


def test_a_pod_that_fits_nowhere() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    waits = pod(phase="Pending", conditions=[condition])
    for age, final in ((5, False), (20, True)):
        waits["metadata"]["creationTimestamp"] = at(-age)
        cause = only(waits)
        assert (cause.id, cause.final) == ("pod/unschedulable", final)
    condition["message"] = "0/1 nodes are available: 1 node(s) had untolerated taint(s)."
    assert not only(waits).final
    for message, final in (
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available", True),
        ("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. no new claims to deallocate", False),
        ("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.", False),
    ):
        waits["metadata"]["creationTimestamp"], condition["message"] = at(-1), message
        assert only(waits).final == final
    unbound = {**condition, "message": "pod has unbound immediate PersistentVolumeClaims"}
    assert only(pod(phase="Pending", conditions=[unbound])).id == "volume/pending"
    assert not only(pod(phase="Pending", conditions=[unbound])).final
    absent = {**condition, "message": 'persistentvolumeclaim "data" not found'}
    assert only(pod(phase="Pending", conditions=[absent])).final


def test_a_volume_of_an_object_that_does_not_exist() -> None:
    creating = pod(waiting("ContainerCreating"), phase="Pending")
    said = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
    cause = only(creating, warning("web-1-a", "FailedMount", said))
    assert (cause.id, cause.final) == ("pod/config-missing", True)
    cause = only(creating, warning("web-1-a", "FailedMount", "timed out waiting for the condition"))
    assert (cause.id, cause.final) == ("pod/volume", False)


@pytest.mark.parametrize(
    ("message", "identifier"),
    [
        ('pods "web-1" is forbidden: exceeded quota: budget, requested: cpu=2, used: cpu=0, limited: cpu=1', "workload/quota"),
        ('pods "web-1" is forbidden: violates PodSecurity "restricted:latest": privileged', "workload/pod-security"),
        ('admission webhook "x" denied the request: no', "workload/admission"),
        ('pods "web-1" is forbidden: no API token found for service account "web"', "workload/not-created"),
        ('error looking up service account shop/web: serviceaccount "web" not found', LASTING),
        ('pods "web-1" is forbidden: no PriorityClass with name high was found', LASTING),
        ('pods "web-1" is forbidden: pod rejected: RuntimeClass "gvisor" not found', LASTING),
        ('pods "web-1" is forbidden: maximum memory usage per Container is 512Mi, but limit is 600Mi', LASTING),
    ],
)
def test_pods_that_the_api_server_refuses(message: str, identifier: str) -> None:
    lasting, identifier = identifier == LASTING, identifier.removesuffix("!")
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}
    workload = deployment(replicas=0, conditions=[condition])
    for age, final in ((2, lasting or identifier != "workload/not-created"), (20, True)):
        workload["metadata"]["managedFields"] = [{"time": at(-age), "fieldsV1": {"f:spec": {}}}]
        [cause] = causes(workload, replica_set(1))
        assert (cause.id, cause.final) == (identifier, final)


def test_a_refusal_counts_if_it_came_after_the_last_change_of_the_workload() -> None:
    workload = {**deployment(replicas=0), "kind": "StatefulSet"}
    workload["metadata"] = {**workload["metadata"], "managedFields": [{"time": at(-10), "fieldsV1": {"f:spec": {}}}]}
    refused = warning("deployment", "FailedCreate", "forbidden: exceeded quota: budget", -5)
    assert [cause.id for cause in causes(workload, refused)] == ["workload/quota"]
    assert [cause.id for cause in causes(workload, {**refused, "lastTimestamp": at(-60)})] == ["workload/not-available"]


def test_a_job_that_failed() -> None:
    job = {
        **deployment(conditions=[{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "too many"}]),
        "kind": "Job",
    }
    [cause] = causes(job)
    assert (cause.id, cause.message, cause.final) == ("job/failed", "BackoffLimitExceeded: too many", True)


def test_a_pod_that_no_scheduler_has_seen() -> None:
    pending = pod(phase="Pending")
    del pending["spec"]["nodeName"]
    assert "the pod web-1-a waits for a node" in only(pending).message


def test_without_any_sign_the_replicas_are_counted() -> None:
    cause = only(availableReplicas=1)
    assert (cause.id, cause.message, cause.final) == ("workload/not-available", "1 of 2 available", False)
