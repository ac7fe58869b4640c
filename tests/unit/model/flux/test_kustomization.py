"""What a live Kustomization says of a revision."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.flux.kustomization import SourceRef, assess, is_kustomization, parse_kustomization
from devloop.model.kubernetes.objects import ObjectId

OLD, NEW = "main@sha1:aaa", "main@sha1:bbb"


def live(ready: str = "True", reason: str = "ReconciliationSucceeded", applied: str = NEW, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready, "reason": reason, "message": "said by Flux"}]
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system", "generation": 2},
        "spec": {"dependsOn": [{"name": "infra"}]},
        "status": {
            "observedGeneration": 2,
            "lastAppliedRevision": applied,
            "lastAttemptedRevision": NEW,
            "conditions": conditions,
            **status,
        },
    }


def failing(reason: str, generation: int = 2, working_at: str = NEW, **status: Any) -> dict[str, Any]:
    """As kustomize-controller leaves it after a failure: observedGeneration is that of the last success, -1 if there was none."""
    obj = live("False", reason, OLD, observedGeneration=-1, **status)
    message = f"Fetching manifests for revision {working_at} with a timeout of 1m0s"
    obj["status"]["conditions"][0]["observedGeneration"] = generation
    obj["status"]["conditions"].append({"type": "Reconciling", "status": "True", "message": message})
    return obj


@pytest.mark.parametrize(
    ("obj", "ready", "terminal"),
    [
        (live(), True, False),
        (live(applied=OLD), False, False),
        (live(observedGeneration=1), False, False),
        (live("Unknown", "Progressing", OLD), False, False),
        (live("False", "DependencyNotReady", OLD), False, False),
        (live("False", "BuildFailed", OLD), False, True),
        (live("False", "HealthCheckFailed", OLD), False, True),
        (live("False", "BuildFailed", OLD, lastAttemptedRevision=OLD), False, False),
        (live("False", "BuildFailed", OLD, observedGeneration=1), False, False),
        ({"metadata": {"name": "apps"}}, False, False),
        (failing("BuildFailed"), False, True),
        (failing("BuildFailed", generation=1), False, False),
        (failing("ArtifactFailed", lastAttemptedRevision=OLD), False, True),
        (failing("ArtifactFailed", lastAttemptedRevision=OLD, working_at=OLD), False, False),
        (failing("ArtifactFailed", lastAttemptedRevision=None), False, True),
        (failing("DependencyNotReady"), False, False),
    ],
)
def test_only_a_condition_of_this_revision_and_generation_counts(obj: dict[str, Any], ready: bool, terminal: bool) -> None:
    readiness = assess(obj, NEW)
    assert (readiness.ready, readiness.terminal) == (ready, terminal)


def test_a_stalled_kustomization_is_terminal_whatever_the_reason() -> None:
    obj = live("False", "SomethingNew", OLD)
    obj["status"]["conditions"].append({"type": "Stalled", "status": "True"})
    assert assess(obj, NEW).terminal


def test_what_the_spec_alone_decides_does_not_wait_for_a_revision() -> None:
    obj = live("False", "InvalidCELExpression", "", lastAttemptedRevision="")
    assert assess(obj, NEW).terminal
    obj["metadata"]["generation"] += 1
    assert not assess(obj, NEW).terminal


def test_a_ready_condition_of_an_older_revision_is_told_as_progress() -> None:
    readiness = assess(live(applied=OLD), NEW)
    assert readiness.reason == "Progressing"
    assert OLD in readiness.message


def test_effective_namespaces_of_references() -> None:
    obj = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "team", "annotations": {"ksail.devantler.tech/reconcile-exclude": "true"}},
        "spec": {
            "path": "./apps",
            "sourceRef": {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"},
            "dependsOn": [{"name": "a"}, {"name": "b", "namespace": "other"}],
        },
    }
    kustomization = parse_kustomization(obj)
    assert kustomization.source == SourceRef("GitRepository", "flux-system", "flux-system")
    assert kustomization.depends_on == (ObjectId("team", "a"), ObjectId("other", "b"))
    assert kustomization.excluded


def test_a_kustomization_yaml_is_not_a_flux_kustomization() -> None:
    assert not is_kustomization({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"})
