"""Why a pod does not run: its containers' states, its conditions and the warnings about it.

Reasons are the kubelet's: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ and pkg/kubelet/images/types.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devloop.model.causes.cause import Cause, Container, ObjectRef
from devloop.model.causes.observed import event_time, metadata
from devloop.model.causes.refusals import TRANSIENT
from devloop.model.causes.times import seconds
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import counted, one_line

IMAGE_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"})
NO_START = frozenset({"CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError"})
NORMAL = frozenset({"", "ContainerCreating", "PodInitializing"})

# What containerd and the kubelet put before the reason of a failed pull.
_PREFIXES = re.compile(
    r'(Back-off pulling image "[^"]*": |ErrImagePull: |rpc error: code = \w+ desc = '
    r'|failed to (pull and unpack image|resolve reference|resolve image|copy|do request)( "[^"]*")?: )'
)
PROBE = re.compile(r"(Readiness|Liveness|Startup) probe (failed|errored)")

# Seconds that kstatus gives a new pod (cli-utils pkg/kstatus/status/core.go, ScheduleWindow).
SCHEDULE_WINDOW = 15.0

# The kubelet forgets a container's crashes after it has run this long (pkg/kubelet/kubelet.go, MaxContainerBackOff x 2), in seconds.
FORGETS_AFTER = 600.0


def pod_causes(pod: Object, workload: ObjectRef, warnings: Sequence[Object], now: float) -> Iterator[Cause]:
    """Causes of a pod that is not ready or restarted a moment ago; `warnings` are events about it, `now` seconds since 1970."""
    status = pod.get("status") or {}
    specs = {c.get("name"): c for kind in ("initContainers", "containers") for c in (pod.get("spec") or {}).get(kind) or ()}
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        yield from _container(pod, container, specs.get(container.get("name"), {}), workload, warnings, now)
    yield from _unscheduled(pod, workload, now)
    if status.get("phase") == "Pending":
        yield from _mounts(workload, warnings)
    if status.get("phase") == "Failed" and not status.get("containerStatuses"):
        yield Cause("pod/failed", workload, f"the pod failed: {status.get('reason', '')} {one_line(status.get('message', ''))}", final=True)


def _container(
    pod: Object, container: Mapping[str, Any], spec: Mapping[str, Any], workload: ObjectRef, warnings: Sequence[Object], now: float
) -> Iterator[Cause]:
    name, state = container.get("name", ""), container.get("state") or {}
    waiting, running = state.get("waiting") or {}, state.get("running") or {}
    reason, message = waiting.get("reason") or "", one_line(waiting.get("message", ""))
    ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated")
    if reason in IMAGE_PULL:
        yield _not_pulled(name, spec.get("image", ""), str(waiting.get("message", "")) or reason, workload)
    elif reason == "InvalidImageName":
        yield Cause("pod/image-name", workload, f"container {name}: {spec.get('image', '')} is not an image reference", final=True)
    elif reason == "CreateContainerConfigError":
        yield Cause("pod/config-missing", workload, f"container {name}: {message or reason}", final=True)
    elif reason in NO_START:
        yield Cause("pod/start-failed", workload, f"container {name}: {message or reason}", final=True)
    elif ended and _counts(ended, container, running, now):
        yield _ended(pod, container, spec, workload, warnings, ended)
    elif running and not container.get("ready"):
        yield from _not_ready(name, workload, warnings, seconds(running.get("startedAt")))
    elif reason not in NORMAL:
        yield Cause("pod/start-failed", workload, f"container {name}: {reason}: {message}")


def _not_pulled(name: str, image: str, message: str, workload: ObjectRef) -> Cause:
    text = f"container {name}: cannot pull the image {image}: {one_line(_PREFIXES.sub('', message))}"
    hint = "correct its name, or build or pull it with your container engine: `up` loads it into the nodes"
    return Cause("pod/image-pull", workload, text, final=not TRANSIENT.search(message), hint=hint)


def _counts(ended: Mapping[str, Any], container: Mapping[str, Any], running: Mapping[str, Any], now: float) -> bool:
    """Whether the end of a container tells that it does not work.

    A container that runs again has to run longer than the time after which it ended; "Unknown" is that of a node that was stopped.
    """
    if ended.get("reason") in ("Completed", "Unknown") and not running and not container.get("restartCount"):
        return False
    if not running:
        return bool(ended.get("exitCode")) or bool((container.get("state") or {}).get("waiting"))
    lifetime = seconds(ended.get("finishedAt")) - seconds(ended.get("startedAt"))
    proven = now - seconds(running.get("startedAt")) > min(lifetime, FORGETS_AFTER)
    return ended.get("reason") != "Unknown" and (not proven or not container.get("ready"))


def _ended(
    pod: Object,
    container: Mapping[str, Any],
    spec: Mapping[str, Any],
    workload: ObjectRef,
    warnings: Sequence[Object],
    ended: Mapping[str, Any],
) -> Cause:
    name, restarts, code = container.get("name", ""), container.get("restartCount", 0), ended.get("exitCode", 0)
    again = f", restarted {counted(restarts, 'time')}" if restarts else ""
    state = container.get("state") or {}
    final = (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff" or (pod.get("spec") or {}).get("restartPolicy") == "Never"
    log = Container(metadata(pod).get("namespace", ""), metadata(pod).get("name", ""), name, previous=not state.get("terminated"))
    attempted = seconds(ended.get("startedAt"))
    if ended.get("reason") == "OOMKilled":
        limit = ((spec.get("resources") or {}).get("limits") or {}).get("memory")
        text = f"container {name} ran out of memory (limit {limit}, exit code {code}{again})" if limit else f"container {name}: OOMKilled"
        return Cause("pod/out-of-memory", workload, text, final=final, attempted=attempted, container=log)
    probe = next((w for w in reversed(warnings) if "Liveness probe" in w.get("message", "") and _is_during(w, ended)), None)
    if probe:
        text = f"container {name} was killed{again}: {one_line(probe['message'])}"
        return Cause("pod/liveness", workload, text, final=bool(restarts), attempted=attempted, container=log)
    said = one_line(ended.get("message", ""))
    text = f"container {name} exited with code {code}{again}" + (f": {said}" if said else "")
    return Cause("pod/crash", workload, text, final=final, attempted=attempted, container=log)


def _is_during(warning: Object, ended: Mapping[str, Any]) -> bool:
    return seconds(ended.get("startedAt")) <= seconds(event_time(warning)) <= seconds(ended.get("finishedAt")) + 1


def _not_ready(name: str, workload: ObjectRef, warnings: Sequence[Object], started: float) -> Iterator[Cause]:
    """The last probe that failed in this run of the container."""
    probes = [w for w in warnings if PROBE.search(w.get("message", "")) and seconds(event_time(w)) >= started]
    said = one_line(probes[-1]["message"]) if probes else "it runs and is not ready yet"
    kind = "pod/liveness" if said.startswith("Liveness") else "pod/not-ready"
    yield Cause(kind, workload, f"container {name}: {said}")


def _unscheduled(pod: Object, workload: ObjectRef, now: float) -> Iterator[Cause]:
    """Not final while nodes start (they are tainted then), or while pods of an earlier template may still end."""
    is_old = now - seconds(metadata(pod).get("creationTimestamp")) >= SCHEDULE_WINDOW
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            message = one_line(condition.get("message", ""))
            claims = "persistentvolumeclaim" in message.lower()
            kind = "volume/pending" if claims else "pod/unschedulable"
            yield Cause(kind, workload, f"the pod cannot be scheduled: {message}", final=is_old and "taint" not in message and not claims)


def _mounts(workload: ObjectRef, warnings: Sequence[Object]) -> Iterator[Cause]:
    """A volume that names an object that does not exist; other failures of a mount are tried again."""
    failed = [w for w in warnings if w.get("reason") in ("FailedMount", "FailedAttachVolume")]
    if failed:
        message = one_line(failed[-1].get("message", ""))
        kind = "pod/config-missing" if re.search(r'(configmap|secret) "[^"]*" not found|references non-existent', message) else "pod/volume"
        yield Cause(kind, workload, message, final=kind == "pod/config-missing")
