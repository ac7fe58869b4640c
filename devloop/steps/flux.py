"""Flux is in the cluster: its namespace, CRDs and RBAC, and its controllers run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devloop.clients.kube import CRDS, NAMESPACES, Kube
from devloop.flux import manifests
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import NAMESPACE
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome

# Written last: a namespace that carries the key of these very versions has everything.
INSTALLED = "devloop.dev/flux"


@dataclass(frozen=True)
class InstallFlux:
    """CRDs and RBAC come from the controllers' own modules, in the versions that run."""

    graph: Output[Graph]
    title: str = "flux"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        controllers = self.graph.value.controllers
        key = " ".join(f"{name}@{session.toolchain.key(name)}" for name in controllers)
        namespace = session.kube.get(NAMESPACES, NAMESPACE)
        if namespace and (namespace["metadata"].get("annotations") or {}).get(INSTALLED) == key:
            return outcome(False)
        marked = manifests.namespace(NAMESPACE)
        session.kube.apply(marked)
        crds = [crd for name in controllers for crd in session.toolchain.crds(name)]
        session.kube.apply_all([*crds, *_identities(session, controllers)])
        _wait_established(session.kube, crds, session.stop)
        marked["metadata"]["annotations"] = {INSTALLED: key}
        session.kube.apply(marked)
        return outcome(True, ", ".join(controllers))


def _identities(session: Session, controllers: Sequence[str]) -> list[dict[str, Any]]:
    roles = [role for name in controllers for role in manifests.rbac(name, session.toolchain.rbac(name))]
    return [manifests.service_account(name) for name in controllers] + roles


def _wait_established(kube: Kube, crds: Sequence[Mapping[str, Any]], stop: threading.Event) -> None:
    waiting = {crd["metadata"]["name"] for crd in crds}
    for event, crd in kube.watch(CRDS, stop):
        conditions = (crd.get("status") or {}).get("conditions") or ()
        if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            waiting.discard(crd["metadata"]["name"])
        if not waiting and event != "SYNCED":
            return


@dataclass(frozen=True)
class StartControllers:
    graph: Output[Graph]
    title: str = "controllers"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.provisioner.ensure_controllers(self.graph.value.controllers, session.emit))
