"""Flux Kustomizations, and what their status means at a revision. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.model.flux.names import KUSTOMIZATION, KUSTOMIZE_GROUP
from devloop.model.kubernetes.conditions import condition
from devloop.model.kubernetes.objects import ObjectId
from devloop.model.report import Readiness

# KSail does not wait for a Kustomization with this annotation set to "true".
EXCLUDE_ANNOTATION = "ksail.devantler.tech/reconcile-exclude"

# Reasons of Ready=False that need another revision, see kustomize-controller api/v1/condition_types.go.
TERMINAL_REASONS = frozenset((
    "BuildFailed", "ArtifactFailed", "ReconciliationFailed", "PruneFailed", "HealthCheckFailed", "InvalidCELExpression",
    "FeatureGateDisabled",
))  # fmt: skip

# Those of them that the spec alone decides: the controller does not look at the source.
OF_SPEC = frozenset(("InvalidCELExpression", "FeatureGateDisabled", "AccessDenied"))


@dataclass(frozen=True)
class SourceRef:
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Kustomization:
    """One Flux Kustomization with its effective namespace; `path` as written, `spec` the whole raw spec."""

    id: ObjectId
    path: str
    source: SourceRef
    depends_on: tuple[ObjectId, ...]
    spec: Mapping[str, Any]
    excluded: bool = False

    @property
    def suspended(self) -> bool:
        return bool(self.spec.get("suspend"))

    @property
    def waits(self) -> bool:
        return bool(self.spec.get("wait") or self.spec.get("healthChecks"))


def is_kustomization(obj: Mapping[str, Any]) -> bool:
    """Whether `obj` is a Flux Kustomization (not a kustomization.yaml)."""
    return obj.get("kind") == KUSTOMIZATION and str(obj.get("apiVersion", "")).startswith(KUSTOMIZE_GROUP + "/")


def parse_kustomization(obj: Mapping[str, Any]) -> Kustomization:
    """From a rendered or live object; a missing namespace is `default`, like for the API server. Names become strings."""
    metadata = obj.get("metadata") or {}
    spec = obj.get("spec") or {}
    namespace = str(metadata.get("namespace") or "default")
    ref = spec.get("sourceRef") or {}
    annotations = metadata.get("annotations") or {}
    return Kustomization(
        id=ObjectId(namespace, str(metadata.get("name", ""))),
        path=spec.get("path") or "./",
        source=SourceRef(str(ref.get("kind", "")), str(ref.get("namespace") or namespace), str(ref.get("name", ""))),
        depends_on=tuple(ObjectId(str(d.get("namespace") or namespace), str(d.get("name", ""))) for d in spec.get("dependsOn") or ()),
        spec=spec,
        excluded=str(annotations.get(EXCLUDE_ANNOTATION, "")).lower() == "true",
    )


def assess(obj: Mapping[str, Any], revision: str) -> Readiness:
    """The readiness of a live Kustomization at `revision` (`main@sha1:<sha>`; empty: the last applied one).

    Ready only if the controller has observed this generation, reports Ready=True and applied this revision. A failure leaves
    status.observedGeneration behind (kustomize-controller writes it for Ready and Stalled alone): the generation of a failure is
    the condition's own.
    """
    kustomization = parse_kustomization(obj)
    status = obj.get("status") or {}
    ready = condition(obj, "Ready")
    generation = (obj.get("metadata") or {}).get("generation")
    observed = status.get("observedGeneration") == generation
    applied = status.get("lastAppliedRevision") or ""
    current = not revision or applied == revision
    terminating = bool((obj.get("metadata") or {}).get("deletionTimestamp"))
    is_ready = observed and current and ready.get("status") == "True" and not terminating
    stalled = condition(obj, "Stalled").get("status") == "True"
    failed = ready.get("status") == "False" and (ready.get("reason") in TERMINAL_REASONS or stalled)
    failed_here = observed or (generation is not None and ready.get("observedGeneration") == generation)
    reason, message = ready.get("reason") or "Pending", ready.get("message") or "not reconciled yet"
    if ready.get("status") == "True" and not is_ready:
        reason, message = "Progressing", f"still at {applied or 'no revision'}"
    if ready.get("status") == "Unknown":
        message = condition(obj, "Reconciling").get("message") or message
    if terminating:
        reason, message = "Terminating", "is being deleted"
    return Readiness(
        namespace=kustomization.id.namespace,
        name=kustomization.id.name,
        ready=is_ready,
        reason=reason,
        message=message,
        revision=applied,
        depends_on=tuple(map(str, kustomization.depends_on)),
        objects=len((status.get("inventory") or {}).get("entries") or ()),
        terminal=failed and failed_here and (not revision or ready.get("reason") in OF_SPEC or _attempted(obj, revision)),
        suspended=kustomization.suspended,
    )


def _attempted(obj: Mapping[str, Any], revision: str) -> bool:
    """Whether the controller has tried `revision`. A failure before the build (path not found, download failed) does not reach
    lastAttemptedRevision; the message of Reconciling names the revision that it works at."""
    status = obj.get("status") or {}
    attempted = status.get("lastAttemptedRevision") or status.get("lastAppliedRevision")
    return attempted == revision or revision in str(condition(obj, "Reconciling").get("message", "")).split()
