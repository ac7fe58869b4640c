"""Why a pod does not run: its containers' states, its conditions and the warnings about it.

Reasons are the kubelet's: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ and pkg/kubelet/images/types.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devloop.model.causes.cause import Cause, Container, ObjectRef
from devloop.model.causes.observed import event_time, metadata
from devloop.model.causes.refusals import TRANSIENT, is_transient, named_missing
from devloop.model.causes.times import seconds
from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.objects import Object
from devloop.model.messages import counted, one_line

IMAGE_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"})
NOT_STARTED = frozenset({
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
    "PreCreateHookError", "PreStartHookError", "PostStartHookError",
})  # fmt: skip
# Of an object or a key that does not exist, in pkg/kubelet/kubelet_pods.go.
_NO_KEY = re.compile(r"couldn't find key \S+ in (ConfigMap|Secret) ")
# Of a kubelet or a runtime that is still behind, which it says with the same reasons as what never works: kubelet_pods.go,
# util/manager/watch_based_manager.go, and containerd after an attempt that it gave up.
_BEHIND = re.compile(r"failed to sync \w+ cache|cannot construct envvars|failed to list services|is reserved for|deadline exceeded")
NEVER_RAN = frozenset({"StartError", "ContainerCannotRun"})  # of containerd and of Docker
NORMAL = frozenset({"", "ContainerCreating", "PodInitializing"})

# What containerd and the kubelet put before the reason of a failed pull.
_PREFIXES = re.compile(
    r'(Back-off pulling image "[^"]*": |ErrImagePull: |rpc error: code = \w+ desc = '
    r'|failed to (pull and unpack image|resolve reference|resolve image|copy|do request)( "[^"]*")?: )'
)
PROBE = re.compile(r"(Readiness|Liveness|Startup) probe (failed|errored)")
KILLING_PROBE = re.compile(r"(Liveness|Startup) probe")

# Seconds that kstatus gives a new pod (cli-utils pkg/kstatus/status/core.go, ScheduleWindow).
SCHEDULE_WINDOW = 15.0

# The kubelet forgets a container's crashes after it has run this long (pkg/kubelet/kubelet.go, MaxContainerBackOff x 2), in seconds.
FORGETS_AFTER = 600.0


def pod_causes(pod: Object, workload: ObjectRef, warnings: Sequence[Object], now: float) -> Iterator[Cause]:
    """Causes of a pod that is not ready or restarted a moment ago; `warnings` are events about it, `now` seconds since 1970."""
    status = pod.get("status") or {}
    specs = {c.get("name"): c for kind in ("initContainers", "containers") for c in (pod.get("spec") or {}).get(kind) or ()}
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        spec = specs.get(container.get("name"), {})
        if cause := _ContainerView(pod, container, spec, workload, warnings).cause(now):
            yield cause
    yield from _unscheduled(pod, workload, now)
    if status.get("phase") == "Pending":
        yield from _mounts(workload, warnings)
    if status.get("phase") == "Failed" and not status.get("containerStatuses"):
        yield Cause("pod/failed", workload, f"the pod failed: {status.get('reason', '')} {one_line(status.get('message', ''))}", final=True)


@dataclass(frozen=True)
class _ContainerView:
    """One container of a pod: its status and its spec."""

    pod: Object
    status: Mapping[str, Any]
    spec: Mapping[str, Any]
    workload: ObjectRef
    warnings: Sequence[Object]

    @property
    def name(self) -> str:
        return str(self.status.get("name", ""))

    def state(self, kind: str) -> Mapping[str, Any]:
        """The current state if it is `kind` (waiting, running, terminated), else empty."""
        found: Mapping[str, Any] = (self.status.get("state") or {}).get(kind) or {}
        return found

    @property
    def ended(self) -> Mapping[str, Any]:
        """How it ended now or the last time, empty if it never did."""
        return self.state("terminated") or (self.status.get("lastState") or {}).get("terminated") or {}

    def cause(self, now: float) -> Cause | None:
        reason, message = self.state("waiting").get("reason") or "", str(self.state("waiting").get("message", ""))
        text = f"container {self.name}: {one_line(message) or reason}"
        if reason in IMAGE_PULL:
            return self._not_pulled(message or reason)
        if reason == "InvalidImageName":
            text = f"container {self.name}: {self.spec.get('image', '')} is not an image reference"
            return Cause("pod/image-name", self.workload, text, final=True)
        if reason in NOT_STARTED:
            kind = "pod/config-missing" if named_missing(message) or _NO_KEY.search(message) else "pod/start-failed"
            return Cause(kind, self.workload, text, final=not (is_transient(message) or _BEHIND.search(message)))
        if self._has_failed(now):
            return self._crash()
        if self.state("running") and not self.status.get("ready"):
            return self._not_ready()
        return None if reason in NORMAL else Cause("pod/start-failed", self.workload, text)

    def _not_pulled(self, message: str) -> Cause:
        image, why = self.spec.get("image", ""), one_line(_PREFIXES.sub("", message))
        hint = "correct its name, or build or pull it with your container engine: `up` loads it into the nodes"
        text = f"container {self.name}: cannot pull the image {image}: {why}"
        return Cause("pod/image-pull", self.workload, text, final=not TRANSIENT.search(message), hint=hint)

    def _has_failed(self, now: float) -> bool:
        """Whether its end shows that it does not work.

        A container that runs again has to run longer than the time after which it ended. "Unknown" is the end of a node that was stopped.
        """
        ended, running = self.ended, self.state("running")
        if not ended or ended.get("reason") == "Unknown":
            return self._backs_off
        if not running:
            return bool(ended.get("exitCode")) or self._backs_off
        lifetime = seconds(ended.get("finishedAt")) - seconds(ended.get("startedAt"))
        proven = now - seconds(running.get("startedAt")) > min(lifetime, FORGETS_AFTER)
        return not (proven and self.status.get("ready"))

    @property
    def _backs_off(self) -> bool:
        return self.state("waiting").get("reason") == "CrashLoopBackOff"

    def _crash(self) -> Cause:
        restarts, code = self.status.get("restartCount", 0), self.ended.get("exitCode", 0)
        again = f", restarted {counted(restarts, 'time')}" if restarts else ""
        said, probe = one_line(self.ended.get("message", "")), self._killing_probe()
        never = (self.pod.get("spec") or {}).get("restartPolicy") == "Never"
        kind, final = "pod/crash", self._backs_off or never
        text = f"container {self.name} exited with code {code}{again}" + (f": {said}" if said else "")
        if self.ended.get("reason") in NEVER_RAN:
            kind, text = "pod/start-failed", f"container {self.name} cannot be started{again}: {said}"
        elif self.ended.get("reason") == "OOMKilled":
            limit = ((self.spec.get("resources") or {}).get("limits") or {}).get("memory") or "that of the node"
            kind, text = "pod/out-of-memory", f"container {self.name} ran out of memory (limit {limit}, exit code {code}{again})"
        elif probe:
            kind, text, final = "pod/liveness", f"container {self.name} was killed{again}: {probe}", bool(restarts)
        attempted = seconds(self.ended.get("startedAt"))
        return Cause(kind, self.workload, text, final=final, attempted=attempted, container=self._log())

    def _killing_probe(self) -> str:
        """The failure of a probe for which the kubelet ended the container, '' if it ended otherwise."""
        during = (warning for warning in reversed(self.warnings) if _is_during(warning, self.ended))
        messages = (str(warning.get("message", "")) for warning in during)
        return next((one_line(message) for message in messages if KILLING_PROBE.search(message)), "")

    def _log(self) -> Container:
        metadata_of = metadata(self.pod)
        return Container(metadata_of.get("namespace", ""), metadata_of.get("name", ""), self.name, previous=not self.state("terminated"))

    def _not_ready(self) -> Cause:
        """The last probe that failed in this run of the container."""
        started = seconds(self.state("running").get("startedAt"))
        probes = [w for w in self.warnings if PROBE.search(w.get("message", "")) and seconds(event_time(w)) >= started]
        said = one_line(probes[-1]["message"]) if probes else "it runs and is not ready yet"
        return Cause("pod/liveness" if KILLING_PROBE.search(said) else "pod/not-ready", self.workload, f"container {self.name}: {said}")


def _is_during(warning: Object, ended: Mapping[str, Any]) -> bool:
    return seconds(ended.get("startedAt")) <= seconds(event_time(warning)) <= seconds(ended.get("finishedAt")) + 1


def _unscheduled(pod: Object, workload: ObjectRef, now: float) -> Iterator[Cause]:
    """Not final while nodes start (they are tainted then), or while pods of an earlier template may still end and free what it needs."""
    is_old = now - seconds(metadata(pod).get("creationTimestamp")) >= SCHEDULE_WINDOW
    if has_condition(pod, "PodScheduled", "False"):
        said = condition(pod, "PodScheduled").get("message", "")
        message = one_line(said)
        claims = "persistentvolumeclaim" in message.lower()
        kind = "volume/pending" if claims else "pod/unschedulable"
        is_settled = bool(named_missing(message)) if claims else is_old or _no_node_ever(message)
        final = is_settled and "taint" not in message
        yield Cause(kind, workload, f"the pod cannot be scheduled: {message}", final=final, said=said)


def _no_node_ever(message: str) -> bool:
    """Whether each node was refused for what the end of other pods does not change.

    `0/2 nodes are available: 1 node(s) were unschedulable, 1 node(s) didn't match Pod's node affinity/selector. preemption: ...`
    """
    reasons = message.partition(" preemption:")[0].partition(": ")[2].split(", ")
    return all("node affinity/selector" in reason or "were unschedulable" in reason for reason in reasons)


def _mounts(workload: ObjectRef, warnings: Sequence[Object]) -> Iterator[Cause]:
    """A volume that names an object that does not exist; other failures of a mount are tried again."""
    failed = [w for w in warnings if w.get("reason") in ("FailedMount", "FailedAttachVolume")]
    if failed:
        said = failed[-1].get("message", "")
        message = one_line(said)
        kind = "pod/config-missing" if re.search(r'(configmap|secret) "[^"]*" not found|references non-existent', message) else "pod/volume"
        yield Cause(kind, workload, message, final=kind == "pod/config-missing", said=said)
