"""Waits until everything is Ready at the revision; requests reconciliations that save time, and reports the causes of failures."""

import queue
import threading
import time
from dataclasses import dataclass, replace

from devloop.clients.kube import EVENTS, KUSTOMIZATIONS, PODS, WATCHED, Kube
from devloop.errors import Interrupted
from devloop.hint import DevloopCommand
from devloop.model.cluster.environment import Source
from devloop.model.flux.graph import Graph
from devloop.model.flux.names import REQUESTED_AT
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.failure_reasons import failure_reasons
from devloop.model.kubernetes.objects import Object, ObjectId
from devloop.model.report import Outcome, Readiness, Reconciling, Status
from devloop.session import Session
from devloop.steps import Output, Step, outcome

TICK = 0.05  # seconds between two checks of the clock without events
CALM = 1.0  # seconds without progress after which a failure is final


@dataclass(frozen=True)
class AwaitReady:
    """`timeout` in seconds, for everything together."""

    graph: Output[Graph]
    source: Output[Source]
    timeout: float
    title: str = "reconcile"
    needs: tuple[Step, ...] = ()

    def run(self, session: Session) -> Outcome:
        graph = self.graph.value
        state = Reconciliation.of(graph, self.source.value.revision, time.monotonic())
        done = threading.Event()
        helm = "HelmRelease" in graph.kinds()
        resources = [resource for kind, resource in WATCHED.items() if helm or kind != "HelmRelease"]
        try:
            verdict = _follow(session, state, session.kube.watch_all(resources, done), len(resources), self.timeout)
        finally:
            done.set()
            session.emit(Reconciling(_with_causes(session.kube, state)))
        return verdict


def _follow(session: Session, state: Reconciliation, events: queue.SimpleQueue[tuple[str, Object]], kinds: int, timeout: float) -> Outcome:
    deadline = time.monotonic() + timeout
    synced, already, settled_at = 0, True, 0.0
    while True:
        if session.stop.is_set():
            raise Interrupted("interrupted while waiting for Flux", hint=DevloopCommand("status", session.environment.name))
        seen = _drain(events, state)
        now = time.monotonic()
        synced += seen.count("SYNCED")
        if seen:
            session.emit(Reconciling(state.kustomizations(now)))
        if synced >= kinds:
            if state.healthy(now):
                return outcome(not already, "everything is ready")
            already = False
            settled_at = (settled_at or now) if state.settled(now) else 0.0
            if settled_at and now - settled_at > CALM:
                return Outcome(Status.FAILED, _missing(state, now), "fix the first failure, then run the command again")
            _request_reconciliations(session.kube, state, now)
        if now > deadline:
            hint = "fix the causes, or allow more time with --timeout"
            return Outcome(Status.FAILED, f"{_missing(state, now)} after {timeout:.0f} s", hint)


def _drain(events: queue.SimpleQueue[tuple[str, Object]], state: Reconciliation) -> list[str]:
    """Observe all queued events, waiting a tick for the first; returns their types."""
    seen: list[str] = []
    try:
        event, obj = events.get(timeout=TICK)
        while True:
            seen.append(event)
            if event in ("ADDED", "MODIFIED", "DELETED"):
                state.observe(event, obj, time.monotonic())
            event, obj = events.get_nowait()
    except queue.Empty:
        return seen


def _request_reconciliations(kube: Kube, state: Reconciliation, now: float) -> None:
    for object_id in list(state.nudges(now)):
        token = f"{time.time_ns():020d}"
        state.nudged(object_id, token)
        kube.annotate(KUSTOMIZATIONS, object_id.namespace, object_id.name, {REQUESTED_AT: token})


def _missing(state: Reconciliation, now: float) -> str:
    states = state.kustomizations(now)
    if missing := sum(not (k.ready or k.suspended) for k in states):
        return f"{missing} of {len(states)} Kustomizations {'is' if missing == 1 else 'are'} not ready"
    return "not available: " + ", ".join(f"{obj['metadata']['namespace']}/{obj['metadata']['name']}" for obj in state.unavailable())


def _with_causes(kube: Kube, state: Reconciliation) -> tuple[Readiness, ...]:
    """The final state of every Kustomization, with the causes of failing workloads."""
    return tuple(
        k if k.ready else replace(k, causes=_causes(kube, state, ObjectId(k.namespace, k.name)))
        for k in state.kustomizations(time.monotonic())
    )


def _causes(kube: Kube, state: Reconciliation, object_id: ObjectId) -> tuple[str, ...]:
    lines: list[str] = []
    for target in state.unhealthy(object_id)[:5]:
        namespace = target["metadata"].get("namespace", "")
        lines += failure_reasons(target, kube.list(PODS, namespace), kube.list(EVENTS, namespace))
    return tuple(lines)
