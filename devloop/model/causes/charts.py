"""Why a HelmRelease has no chart. No I/O."""

from __future__ import annotations

from dataclasses import replace

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.flux import source_cause
from devloop.model.causes.observed import metadata
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.flux.releases import chart_of
from devloop.model.kubernetes.objects import Object


def chart_cause(release: Object, state: Reconciliation, now: float) -> Cause | None:
    """The failure of its source, else that of its HelmChart; None without either."""
    chart = chart_of(release, state.observed)
    failed = source_cause(chart, state.failing(chart, now)) if chart else None
    if chart and not failed:
        return None
    reference = ((chart or {}).get("spec") or {}).get("sourceRef") or (release.get("spec") or {}).get("chartRef") or {}
    namespace = reference.get("namespace") or metadata(chart or release).get("namespace", "")
    source = state.observed.get(ObjectRef(str(reference.get("kind")), namespace, str(reference.get("name"))))
    found = source_cause(source, state.failing(source, now)) if source else None
    return found or (replace(failed, object=ObjectRef.of(release)) if failed else None)
