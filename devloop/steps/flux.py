"""Flux is in the cluster: its namespace, CRDs and RBAC, and its controllers run."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devloop.clients.kube import CRDS, NAMESPACES, Kube
from devloop.flux import manifests
from devloop.model.flux.names import NAMESPACE
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import outcome

# Written last: a namespace that carries the key of these very versions has everything.
INSTALLED = "devloop.dev/flux"


@dataclass(frozen=True)
class InstallFlux:
    """CRDs and RBAC come from the controllers' own modules, in the versions that run."""

    controllers: tuple[str, ...]
    title: str = "flux"
    needs: tuple[str, ...] = ()

    def run(self, session: Session) -> Outcome:
        key = " ".join(f"{name}@{session.toolchain.key(name)}" for name in self.controllers)
        namespace = session.kube.get(NAMESPACES, NAMESPACE)
        if namespace and (namespace["metadata"].get("annotations") or {}).get(INSTALLED) == key:
            return outcome(False)
        marked = manifests.namespace(NAMESPACE)
        session.kube.apply(marked)
        crds = [crd for name in self.controllers for crd in session.toolchain.crds(name)]
        session.kube.apply_all([*crds, *self._identities(session)])
        _wait_established(session.kube, crds, session.stop)
        marked["metadata"]["annotations"] = {INSTALLED: key}
        session.kube.apply(marked)
        return outcome(True, ", ".join(self.controllers))

    def _identities(self, session: Session) -> list[dict[str, Any]]:
        roles = [role for name in self.controllers for role in manifests.rbac(name, session.toolchain.rbac(name))]
        return [manifests.service_account(name) for name in self.controllers] + roles


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
    controllers: tuple[str, ...]
    title: str = "controllers"
    needs: tuple[str, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.provisioner.ensure_controllers(self.controllers, session.emit))
