"""The Flux controllers in the cluster: applies the Deployments and waits for them; fails early if one cannot start."""

import contextlib
import itertools
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from devloop.clients.kube import DEPLOYMENTS, NODES, PODS, Kube
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError
from devloop.flux.deployments import ARTIFACTS_PORT, deployments
from devloop.hint import Hint, command, instructions
from devloop.model.flux.names import CONTROLLERS, NAMESPACE
from devloop.model.report import Emit, Progress
from devloop.runtime.containers import ContainerRuntime

PATIENCE = 180.0  # seconds
POD_CHECK = 10  # polls of the Deployments per poll of their pods
MAX_RESTARTS = 3

# The kubelet's reasons.
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
BACKING_OFF = ("CrashLoopBackOff", "ImagePullBackOff")
NO_START = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
OUT_OF_MEMORY = "OOMKilled"


@dataclass(frozen=True)
class ClusterControllers:
    """`Controllers` as Deployments on the first control-plane node."""

    runtime: ContainerRuntime

    def tools(self, names: Sequence[str]) -> tuple[str, ...]:
        return ()

    def ensure_images(self, names: Sequence[str], emit: Emit) -> tuple[str, ...]:
        """Pulled once into the engine, not by every new node."""
        with ThreadPoolExecutor(max_workers=len(CONTROLLERS)) as pool:
            list(pool.map(lambda name: self._pull(name, emit), (name for name in names if name not in self.runtime.own_images)))
        return tuple(self._images(names).values())

    def _pull(self, name: str, emit: Emit) -> None:
        published = self.runtime.toolchain.published_image(name)
        tagged = without_digest(published)
        if not self.runtime.images.identity(tagged):
            self.runtime.images.pull(published, lambda fraction: emit(Progress("images", tagged, fraction)), self.runtime.stop)
            emit(Progress("images", tagged, 1.0, 0.0, done=True))

    def ensure(self, names: Sequence[str], kube: Kube, gates: Mapping[str, str]) -> bool:
        applied = [kube.apply(deployment) for deployment in deployments(self._images(names), self.runtime.node, gates)]
        if all(map(is_available, applied)):
            return False
        _delete_failing_pods(kube, names)
        _await_rollout(kube, names, self.runtime.stop)
        return True

    def artifact(self, kube: Kube, url: str) -> bytes:
        """Through the API server: nodes are not reachable from everywhere."""
        [pod, *_] = _pods(kube, ["source-controller"])
        path = url.split("://", 1)[1].partition("/")[2]
        return kube.read(f"{PODS.path(NAMESPACE, pod['metadata']['name'])}:{ARTIFACTS_PORT}/proxy/{path}")

    def restart(self, names: Sequence[str], kube: Kube) -> None:
        for pod in _pods(kube, names):
            kube.delete(PODS, pod["metadata"]["name"], NAMESPACE)

    def _images(self, names: Sequence[str]) -> dict[str, str]:
        """Own images, else Flux's; in a Deployment without the digest, since nodes have a loaded image by its tag only."""
        own, published = self.runtime.own_images, self.runtime.toolchain.published_image
        return {name: own.get(name) or without_digest(published(name)) for name in names}


def without_digest(reference: str) -> str:
    return reference.partition("@")[0]


def _await_rollout(kube: Kube, names: Sequence[str], stop: threading.Event) -> None:
    """Wait until every Deployment is available in its current version; raises DevloopError for one that cannot start."""
    polls = itertools.count(1)

    def rolled_out() -> bool:
        waiting = {d["metadata"]["name"] for d in kube.list(DEPLOYMENTS, NAMESPACE) if not is_available(d)} & set(names)
        if waiting and next(polls) % POD_CHECK == 0:
            _refuse_failing(kube, waiting)
        return not waiting

    hint = command("kubectl --namespace", NAMESPACE, "describe", "pods")
    try:
        until(rolled_out, "the Flux controllers", patience=PATIENCE, stop=stop, hint=hint)
    except WaitTimeout as error:
        raise DevloopError(f"{error.message}{_pressure(kube)}", hint=hint) from None


def _delete_failing_pods(kube: Kube, names: Sequence[str]) -> None:
    """Replace pods that failed in an earlier run, to reset their back-off."""
    for pod in _pods(kube, names):
        if any(_is_failing(status) for status in _statuses(pod)):
            kube.delete(PODS, pod["metadata"]["name"], NAMESPACE)


def is_available(deployment: Mapping[str, Any]) -> bool:
    """Whether the current generation is available."""
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == status.get("availableReplicas", 0) == status.get("replicas", 0) == wanted
    )


def _refuse_failing(kube: Kube, names: set[str]) -> None:
    for pod in _pods(kube, names):
        name = pod["metadata"]["labels"]["app"]
        for container in _statuses(pod):
            waiting = _waiting(container)
            if waiting.get("reason") in NO_IMAGE:
                pull, build = command("docker pull", container["image"]), command("devloop toolchain images", name)
                message = f"{name} cannot start: the node cannot pull the image {container['image']}"
                raise DevloopError(message, hint=instructions(pull, ", or build it locally: ", build))
            if waiting.get("reason") in NO_START:
                raise DevloopError(f"{name} cannot start: {waiting.get('message') or waiting['reason']}", hint=_describe(pod))
            if container.get("restartCount", 0) >= MAX_RESTARTS and not container.get("ready"):
                raise DevloopError(f"{name} keeps crashing: {_cause(kube, pod, container)}", hint=_describe(pod))


def _describe(pod: Mapping[str, Any]) -> Hint:
    return command("kubectl --namespace", NAMESPACE, "describe", "pod", pod["metadata"]["name"])


def _pods(kube: Kube, names: Collection[str]) -> list[Mapping[str, Any]]:
    """The pods of these controllers that are not being deleted."""
    pods = [pod for pod in kube.list(PODS, NAMESPACE) if not pod["metadata"].get("deletionTimestamp")]
    return [pod for pod in pods if (pod["metadata"].get("labels") or {}).get("app") in names]


def _statuses(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (pod.get("status") or {}).get("containerStatuses") or ()


def _is_failing(status: Mapping[str, Any]) -> bool:
    ends = status.get("restartCount", 0) > 0 and not status.get("ready")
    return ends or _waiting(status).get("reason") in BACKING_OFF


def _waiting(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return (status.get("state") or {}).get("waiting") or {}


def _cause(kube: Kube, pod: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """Why its last terminated run ended: the current run may not have logged anything yet."""
    states = [container.get(key) or {} for key in ("state", "lastState")]
    name, terminated = pod["metadata"]["name"], states[0].get("terminated") or states[1].get("terminated") or {}
    if terminated.get("reason") == OUT_OF_MEMORY:
        return "it exceeds its memory limit"
    return last_error(terminated.get("message") or kube.log(NAMESPACE, name, previous=True) or kube.log(NAMESPACE, name))


def last_error(log: str) -> str:
    """The last error among a controller's JSON lines, else its last line."""
    lines = [line for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        with contextlib.suppress(ValueError, AttributeError):
            entry = json.loads(line)
            if entry.get("level") == "error":
                return f"{entry.get('msg', '')}: {entry.get('error', '')}"
    return lines[-1] if lines else "no log output"


def _pressure(kube: Kube) -> str:
    """'; node local-control-plane has DiskPressure', or ''."""
    pressures = [
        f"{node['metadata']['name']} has {condition['type']}"
        for node in kube.list(NODES)
        for condition in (node.get("status") or {}).get("conditions") or ()
        if condition["type"].endswith("Pressure") and condition["status"] == "True"
    ]
    return f"; node {', '.join(pressures)}" if pressures else ""
