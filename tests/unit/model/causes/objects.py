"""Objects of a cluster for the tests of causes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC).timestamp()


def at(seconds: float) -> str:
    """The time `seconds` after NOW."""
    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(**status: Any) -> dict[str, Any]:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    metadata = {"namespace": "shop", "name": "web", "uid": "deployment", "generation": 1, "labels": labels}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2}, "status": {"observedGeneration": 1, **status}}


def replica_set(revision: int) -> dict[str, Any]:
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    owners = [{"uid": "deployment", "controller": True}]
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "namespace": "shop",
            "name": f"web-{revision}",
            "uid": f"set-{revision}",
            "annotations": annotations,
            "ownerReferences": owners,
        },
    }


def pod(*containers: dict[str, Any], revision: int = 1, name: str = "web-1-a", **status: Any) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name, "uid": name, "ownerReferences": [{"uid": f"set-{revision}", "controller": True}]}
    spec: dict[str, Any] = {
        "nodeName": "node",
        "containers": [{"name": "web", "image": "example.com/web:1", "resources": {"limits": {"memory": "64Mi"}}}],
    }
    return {
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
        "status": {"phase": "Running", "containerStatuses": list(containers), **status},
    }


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"name": "web", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(code: int = 3, reason: str = "Error", began: float = -20, end: float = -10) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": at(began), "finishedAt": at(end)}}


def running(since: float, *, ready: bool = True, **more: Any) -> dict[str, Any]:
    return {"name": "web", "ready": ready, "state": {"running": {"startedAt": at(since)}}, **more}


def warning(about: str, reason: str, message: str, when: float = -1) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": f"{about}.{reason}.{when}"}
    return {
        "kind": "Event",
        "metadata": metadata,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": {"uid": about},
        "lastTimestamp": at(when),
    }
