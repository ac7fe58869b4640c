"""The end state that every way to bring up an environment must reach: everything that Flux manages is Ready, available and decrypted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from devloop.clients.kube import DEPLOYMENTS, GIT_REPOSITORIES, KUSTOMIZATIONS, SECRETS, Kube
from devloop.errors import DevloopError
from devloop.model.flux.names import NAMESPACE, ROOT

# Namespaces in which Kind itself has Deployments.
OF_THE_CLUSTER = {"kube-system", "local-path-storage", NAMESPACE}


@dataclass(frozen=True)
class EndState:
    """Names of objects; `managed` are the inventory entries of the Kustomizations, `secrets` digests of the decrypted Secrets."""

    kustomizations: frozenset[str]
    managed: frozenset[str]
    deployments: frozenset[str]
    secrets: Mapping[str, str]
    root: Mapping[str, Any]


# Seconds for a Kustomization that was asked to reconcile again just as it became ready.
PATIENCE = 10


def end_state(kubeconfig: Path) -> EndState:
    """The state of a healthy cluster, else raises DevloopError. Not timed."""
    kube = Kube(kubeconfig)
    again = retry_if_exception_type(DevloopError)
    return Retrying(retry=again, stop=stop_after_delay(PATIENCE), wait=wait_fixed(0.2), reraise=True)(_end_state, kube)


def _end_state(kube: Kube) -> EndState:
    revision = _source(kube)["status"]["artifact"]["revision"]
    kustomizations = kube.list(KUSTOMIZATIONS)
    deployments = [d for d in kube.list(DEPLOYMENTS) if d["metadata"]["namespace"] not in OF_THE_CLUSTER]
    _refuse("not ready at the revision", [k for k in kustomizations if not _ready(k, revision)])
    _refuse("not available", [d for d in deployments if not _has_condition(d, "Available")])
    managed = frozenset(entry["id"] for k in kustomizations for entry in k["status"]["inventory"]["entries"])
    secrets = {name: _digest(secret) for secret in kube.list(SECRETS) if f"{(name := _name(secret)).replace('/', '_')}__Secret" in managed}
    if not secrets:
        raise DevloopError("there is no decrypted Secret in the cluster")
    spec = next(k for k in kustomizations if _name(k) == str(ROOT))["spec"]
    root = {key: value for key, value in spec.items() if value}
    return EndState(frozenset(map(_name, kustomizations)), managed, frozenset(map(_name, deployments)), secrets, root)


def compare(devloop: EndState, by_hand: EndState) -> None:
    """Raises DevloopError if the script and devloop did not do the same work."""
    different = [f.name for f in fields(EndState) if getattr(devloop, f.name) != getattr(by_hand, f.name)]
    if different:
        raise DevloopError(f"devloop and the script end differently in: {', '.join(different)}", hint="fix benchmarks/by_hand.sh")


def _source(kube: Kube) -> dict[str, Any]:
    source = kube.get(GIT_REPOSITORIES, ROOT.name, ROOT.namespace)
    if not source:
        raise DevloopError("there is no GitRepository in the cluster")
    return source


def _ready(kustomization: Mapping[str, Any], revision: str) -> bool:
    return _has_condition(kustomization, "Ready") and kustomization["status"].get("lastAppliedRevision") == revision


def _has_condition(obj: Mapping[str, Any], kind: str) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)


def _refuse(problem: str, objects: list[dict[str, Any]]) -> None:
    if objects:
        raise DevloopError(f"{problem}: {', '.join(map(_name, objects))}")


def _name(obj: Mapping[str, Any]) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _digest(secret: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(secret.get("data"), sort_keys=True).encode()).hexdigest()
