"""What a source of Flux has fetched. No I/O."""

from __future__ import annotations

from devloop.model.kubernetes.objects import Object


def artifact_revision(source: Object | None) -> str:
    """Of a source or a HelmChart, '' for none and for one that has nothing yet."""
    return str((((source or {}).get("status") or {}).get("artifact") or {}).get("revision") or "")
