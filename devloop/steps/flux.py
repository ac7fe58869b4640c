"""Flux is in the cluster: its namespace, CRDs and RBAC, and its controllers run."""

from __future__ import annotations

from dataclasses import dataclass

from devloop.flux.install import install
from devloop.model.flux.graph import Graph
from devloop.model.report import Outcome
from devloop.session import Session
from devloop.steps import Output, Step, outcome


@dataclass(frozen=True)
class InstallFlux:
    graph: Output[Graph]
    title: str = "flux"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        controllers = self.graph.value.controllers
        changed = install(controllers, session.kube, session.toolchain, session.stop)
        return outcome(changed, ", ".join(controllers) if changed else "")


@dataclass(frozen=True)
class StartControllers:
    graph: Output[Graph]
    title: str = "controllers"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        return outcome(session.controllers.ensure(self.graph.value.controllers, session.kube))
