"""When each source and each Kustomization went through what at one revision, from the events of a watch. No I/O.

kustomize-controller names its phase in the message of the condition Reconciling (internal/controller/kustomization_controller.go of 1.9).
"""

from __future__ import annotations

from collections.abc import Iterator

from devloop.model.causes.cause import ObjectRef
from devloop.model.flux.artifacts import artifact_revision
from devloop.model.flux.kustomization import assess, parse_kustomization
from devloop.model.flux.names import HELM_RELEASE, KUSTOMIZATION, SOURCES
from devloop.model.kubernetes.conditions import condition, has_condition
from devloop.model.kubernetes.objects import Object
from devloop.model.report import Phase

_PHASES = {"Fetching manifests": "fetch", "Building manifests": "build", "Detecting drift": "apply", "Running health checks": "health"}


class Phases:
    """Of every attempt at the revision: a health check that is cut short is followed by another attempt."""

    def __init__(self) -> None:
        self._starts: dict[tuple[str, str], list[tuple[str, float]]] = {}
        self._ends: dict[tuple[str, str], float] = {}
        self._after: dict[tuple[str, str], tuple[str, ...]] = {}

    def observe(self, obj: Object, revision: str, now: float) -> None:
        kind, metadata = str(obj.get("kind", "")), obj.get("metadata") or {}
        key = (kind, f"{metadata.get('namespace', '')}/{metadata.get('name', '')}")
        if kind in SOURCES and artifact_revision(obj) == revision:
            self._ends.setdefault(key, now)
        elif kind == KUSTOMIZATION:
            self._after[key] = tuple(map(str, parse_kustomization(obj).depends_on))
            self._note(key, _phase(obj, revision), now, is_ready=assess(obj, revision).ready)
        elif kind == HELM_RELEASE:
            self._note(key, "release" if has_condition(obj, "Reconciling") else "", now, is_ready=has_condition(obj, "Ready"))

    def fetched_at(self, source: ObjectRef) -> float | None:
        """When the source had the revision, None if it does not have it."""
        return self._ends.get((source.kind, f"{source.namespace}/{source.name}"))

    def _note(self, key: tuple[str, str], phase: str, now: float, *, is_ready: bool) -> None:
        if is_ready:
            self._ends.setdefault(key, now)
            return
        self._ends.pop(key, None)
        starts = self._starts.setdefault(key, []) if phase else []
        if phase and (not starts or starts[-1][0] != phase):
            starts.append((phase, now))

    def all(self, start: float, now: float) -> Iterator[Phase]:
        """Of what was not over at `start`; what is not over yet ends `now`. A source has the one phase `artifact`."""
        for key, end in self._ends.items():
            if key[0] in SOURCES and end > start:
                yield Phase(key[1], key[0], "artifact", start, end)
        for key, starts in self._starts.items():
            end, after = self._ends.get(key, now), self._after.get(key, ())
            for (name, begin), following in zip(starts, [*(at for _, at in starts[1:]), end], strict=True):
                yield Phase(key[1], key[0], name, begin, following, after)


def _phase(obj: Object, revision: str) -> str:
    message = str(condition(obj, "Reconciling").get("message", ""))
    found = next((phase for words, phase in _PHASES.items() if message.startswith(words)), "")
    return found if revision in message.split() else ""
