"""Whether the cluster has all that the revision renders; makes Flux apply deleted objects again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from devloop.clients.kube import HELM_RELEASES, KUSTOMIZATIONS, OTHER_SOURCES, Kube
from devloop.flux.charts import Read, compare_charts
from devloop.flux.presence import Missing, missing_objects
from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.flux.graph import Graph
from devloop.model.flux.helm_release import is_helm_release
from devloop.model.flux.names import FORCE_AT, HELM_RELEASE, KUSTOMIZATION, REQUESTED_AT
from devloop.model.flux.reconciliation import Reconciliation

PACE = 0.5  # seconds between two looks at everything


@dataclass
class Completeness:
    """Of one wait. `root` is the repository, `folder` keeps what is known of charts, `read` gets an artifact.

    `missing` is what the last look found.
    """

    kube: Kube
    graph: Graph
    state: Reconciliation
    root: Path
    folder: Path
    read: Read
    missing: tuple[Cause, ...] = ()
    _looked_at: float = 0.0
    _refreshed: bool = False
    _tokens: dict[ObjectRef, str] = field(default_factory=dict)
    _repaired: set[ObjectRef] = field(default_factory=set)

    @property
    def is_pending(self) -> bool:
        """Whether a requested reconciliation is not done yet."""
        states = {owner: (self.state.observed.get(owner) or {}).get("status") or {} for owner in self._tokens}
        return any(states[owner].get("lastHandledReconcileAt", "") < token for owner, token in self._tokens.items())

    def look(self, ready: frozenset[str], *, changed: bool) -> tuple[Cause, ...] | None:
        """Causes that are final, () if nothing is missing; None if another look is needed.

        `ready` are the Kustomizations to look at (namespace/name), `changed` says that this run has changed something.
        """
        if changed and not self._refreshed:
            self._refreshed = True
            if self._request(self._readers_of_values()):
                return None
        if time.monotonic() - self._looked_at < PACE:
            return None
        self._looked_at = time.monotonic()
        found = missing_objects(self.kube, self.state.expected, ready, self.state.observed)
        self.missing = tuple(each.cause for each in found)
        if any(each.is_gone for each in found):
            return None if self._repair(found) else self.missing
        if not self.missing and self._has_unseen(ready):
            self._looked_at = 0.0
            return None
        return None if self.missing else compare_charts(self.graph, self.state.observed, self.root, self.folder, self.read)

    def _has_unseen(self, ready: frozenset[str]) -> bool:
        """Whether sources exist that the watch has not shown yet: they may fail."""
        sources = (each.ref for each in self.state.expected.objects if each.kind in OTHER_SOURCES and each.kustomization in ready)
        return any(self.state.observed.get(ref) is None for ref in sources)

    def _readers_of_values(self) -> Iterable[ObjectRef]:
        """HelmReleases with values in other objects: helm-controller does not notice a change of these before its interval."""
        manifests = (manifest for node in self.graph for manifest in node.manifests if is_helm_release(manifest))
        refs = (ObjectRef(HELM_RELEASE, m.id.namespace, m.id.name) for m in manifests if m.mapping("spec").get("valuesFrom"))
        return [ref for ref in refs if self._is_active(ref)]

    def _is_active(self, ref: ObjectRef) -> bool:
        live = self.state.observed.get(ref)
        return bool(live) and not (live or {}).get("spec", {}).get("suspend")

    def _repair(self, missing: Iterable[Missing]) -> bool:
        """Request a reconciliation of what applied the objects that are gone; False if that has been done."""
        owners = {each.expected.owner for each in missing if each.is_gone} - self._repaired
        owners = {owner for owner in owners if self.state.observed.get(owner)}
        self._repaired |= owners
        # Without the annotation, helm-controller compares charts and values, which have not changed.
        return self._request(owners, {FORCE_AT})

    def _request(self, owners: Iterable[ObjectRef], more: Iterable[str] = ()) -> bool:
        wanted, token = list(owners), f"{time.time_ns():020d}"
        for owner in wanted:
            self._tokens[owner] = token
            resource = KUSTOMIZATIONS if owner.kind == KUSTOMIZATION else HELM_RELEASES
            annotations = {REQUESTED_AT, *(more if owner.kind == HELM_RELEASE else ())}
            self.kube.annotate(resource, owner.namespace, owner.name, dict.fromkeys(annotations, token))
        return bool(wanted)
