"""Whether a HelmRelease has arrived: at its generation, and at the chart that its source has now. No I/O."""

from __future__ import annotations

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.observed import Observed, metadata
from devloop.model.flux.artifacts import artifact_revision
from devloop.model.flux.names import GIT_REPOSITORY, HELM_CHART
from devloop.model.kubernetes.health import is_current
from devloop.model.kubernetes.objects import Object


def release_is_ready(release: Object, observed: Observed, revision: str) -> bool:
    """Ready, and of the version that its HelmChart has at `revision` (any, if '' or if the chart is from another source)."""
    chart = chart_of(release, observed)
    if chart is None:
        return is_current(release)
    packaged = artifact_revision(chart)
    attempted = (release.get("status") or {}).get("lastAttemptedRevision", "")
    return is_current(release) and _is_at(chart, observed, revision) and (not packaged or attempted == packaged)


def is_attempted(release: Object, observed: Observed) -> bool:
    """Whether helm-controller has begun to install what the release asks for now."""
    status, chart = release.get("status") or {}, chart_of(release, observed)
    packaged = artifact_revision(chart)
    same_chart = not packaged or status.get("lastAttemptedRevision") == packaged
    return bool(status.get("lastAttemptedGeneration") == metadata(release).get("generation")) and same_chart


def chart_of(release: Object, observed: Observed) -> Object | None:
    """The HelmChart that helm-controller made for the release, None without one."""
    namespace, _, name = str((release.get("status") or {}).get("helmChart", "")).partition("/")
    return observed.get(ObjectRef(HELM_CHART, namespace, name)) if name else None


def source_of_chart(chart: Object, observed: Observed) -> Object | None:
    """Its GitRepository, None for other sources."""
    reference = (chart.get("spec") or {}).get("sourceRef") or {}
    if reference.get("kind") != GIT_REPOSITORY:
        return None
    return observed.get(ObjectRef(GIT_REPOSITORY, metadata(chart).get("namespace", ""), str(reference.get("name", ""))))


def _is_at(chart: Object, observed: Observed, revision: str) -> bool:
    """Whether source-controller has processed the chart at `revision`, if the source has it."""
    source = source_of_chart(chart, observed)
    fetched = artifact_revision(source)
    if not revision or fetched != revision:
        return True
    return bool((chart.get("status") or {}).get("observedSourceArtifactRevision") == revision)
