"""The Flux controllers in the cluster: applied, then awaited; those that will never run end the wait early, with their last words."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devloop.clients.kube import DEPLOYMENTS, NODES, PODS, Kube
from devloop.clients.wait import WaitTimeout, until
from devloop.errors import DevloopError
from devloop.flux.deployments import deployments, upstream_image
from devloop.hint import Hint, command, instructions
from devloop.model.flux.names import NAMESPACE
from devloop.runtime.containers import ContainerRuntime

PATIENCE = 180.0  # seconds
LOOKS = 10  # at so many looks at the Deployments one at their pods
HOPELESS = 3  # restarts after which a controller will not come up by itself

# Why a container does not even start, as the kubelet says it.
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
BACKING_OFF = ("CrashLoopBackOff", "ImagePullBackOff")
NO_START = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
OUT_OF_MEMORY = "OOMKilled"  # and why one ended


@dataclass(frozen=True)
class ClusterControllers:
    """As `Controllers`; Deployments on the first control-plane node."""

    runtime: ContainerRuntime

    def tools(self, names: Sequence[str]) -> tuple[str, ...]:
        return ()

    def images(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._images(names).values())

    def ensure(self, names: Sequence[str], kube: Kube) -> bool:
        applied = [kube.apply(deployment) for deployment in deployments(self._images(names), self.runtime.node)]
        if all(map(is_available, applied)):
            return False
        start_afresh(kube, names)
        await_rollout(kube, names, self.runtime.stop)
        return True

    def _images(self, names: Sequence[str]) -> dict[str, str]:
        own, version = self.runtime.own_images, self.runtime.toolchain.version
        return {name: own.get(name) or upstream_image(name, version(name)) for name in names}


def await_rollout(kube: Kube, names: Sequence[str], stop: threading.Event) -> None:
    """Until every Deployment is available in its current version; raises DevloopError for one that will not be."""
    look = itertools.count(1)

    def rolled_out() -> bool:
        waiting = {
            d["metadata"]["name"] for d in kube.list(DEPLOYMENTS, NAMESPACE) if d["metadata"]["name"] in names and not is_available(d)
        }
        if waiting and next(look) % LOOKS == 0:
            _refuse_hopeless(kube, waiting)
        return not waiting

    hint = command("kubectl --namespace", NAMESPACE, "describe", "pods")
    try:
        until(rolled_out, "the Flux controllers", patience=PATIENCE, stop=stop, hint=hint)
    except WaitTimeout as error:
        raise DevloopError(f"{error.message}{_pressure(kube)}", hint=hint) from None


def start_afresh(kube: Kube, names: Sequence[str]) -> None:
    """Make new pods of those that an earlier run left failing: they would wait longer and longer before they try again."""
    for pod in _pods(kube, names):
        if any(_is_failing(status) for status in _statuses(pod)):
            kube.delete(PODS, pod["metadata"]["name"], NAMESPACE)


def is_available(deployment: Mapping[str, Any]) -> bool:
    """Whether this very version of it runs and is ready."""
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == status.get("availableReplicas", 0) == status.get("replicas", 0) == wanted
    )


def _refuse_hopeless(kube: Kube, names: set[str]) -> None:
    for pod in _pods(kube, names):
        name = pod["metadata"]["labels"]["app"]
        for container in _statuses(pod):
            waiting = _waiting(container)
            if waiting.get("reason") in NO_IMAGE:
                message = f"{name} cannot start: the node cannot get the image {container['image']}"
                raise DevloopError(
                    message,
                    hint=instructions(
                        command("docker pull", container["image"]),
                        ", or make it here: ",
                        command("devloop toolchain images", name),
                    ),
                )
            if waiting.get("reason") in NO_START:
                raise DevloopError(f"{name} cannot start: {waiting.get('message') or waiting['reason']}", hint=_describe(pod))
            if container.get("restartCount", 0) >= HOPELESS and not container.get("ready"):
                raise DevloopError(f"{name} keeps ending: {_last_words(kube, pod, container)}", hint=_describe(pod))


def _describe(pod: Mapping[str, Any]) -> Hint:
    return command("kubectl --namespace", NAMESPACE, "describe", "pod", pod["metadata"]["name"])


def _pods(kube: Kube, names: Collection[str]) -> list[Mapping[str, Any]]:
    """The pods of those controllers, without those that are on their way out."""
    found = [pod for pod in kube.list(PODS, NAMESPACE) if not pod["metadata"].get("deletionTimestamp")]
    return [pod for pod in found if (pod["metadata"].get("labels") or {}).get("app") in names]


def _statuses(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (pod.get("status") or {}).get("containerStatuses") or ()


def _is_failing(status: Mapping[str, Any]) -> bool:
    ends = status.get("restartCount", 0) > 0 and not status.get("ready")
    return ends or _waiting(status).get("reason") in BACKING_OFF


def _waiting(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return (status.get("state") or {}).get("waiting") or {}


def _last_words(kube: Kube, pod: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """Those of its last run that has ended: the one that is there now may have begun a moment ago and not have said anything yet."""
    name, ended = pod["metadata"]["name"], _ended(container)
    if ended.get("reason") == OUT_OF_MEMORY:
        return "it takes more memory than it may have"
    return last_words(ended.get("message") or kube.log(NAMESPACE, name, previous=True) or kube.log(NAMESPACE, name))


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any]:
    runs = ((status.get(key) or {}).get("terminated") for key in ("state", "lastState"))
    return next(filter(None, runs), {})


def last_words(log: str) -> str:
    """What a controller says that it ended of: of its JSON lines the last error, else its last line."""
    lines = [line for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        with contextlib.suppress(ValueError, AttributeError):
            entry = json.loads(line)
            if entry.get("level") == "error":
                return f"{entry.get('msg', '')}: {entry.get('error', '')}"
    return lines[-1] if lines else "it said nothing"


def _pressure(kube: Kube) -> str:
    """', node local-control-plane has DiskPressure', '' where no node has any."""
    found = [
        f"{node['metadata']['name']} has {condition['type']}"
        for node in kube.list(NODES)
        for condition in (node.get("status") or {}).get("conditions") or ()
        if condition["type"].endswith("Pressure") and condition["status"] == "True"
    ]
    return f"; node {', '.join(found)}" if found else ""
