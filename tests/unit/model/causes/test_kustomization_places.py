"""The field that a cause of a Kustomization is about."""

from __future__ import annotations

import pytest

from devloop.model.flux.graph import Failure, FailureKind

from .test_places import look, rendered


def test_the_service_account_of_a_kustomization() -> None:
    message = 'services "web" is forbidden: User "system:serviceaccount:flux-system:weak" cannot patch resource "services"'
    assert look("apply/failed", "Service/shop/web", message)[:2] == [
        "cluster/apps.yaml spec.serviceAccountName",
        "apps/web-Service.yaml (the object that it may not change)",
    ]


@pytest.mark.parametrize(
    ("identifier", "message", "place"),
    [
        ("kustomization/path-missing", "kustomization path not found: stat /tmp/x/apps: no such file or directory", "spec.path"),
        ("kustomization/source-missing", 'GitRepository.source.toolkit.fluxcd.io "flux-system" not found', "spec.sourceRef.name"),
        ("kustomization/source-missing", 'GitRepository.source.toolkit.fluxcd.io "other" not found', "?"),
        ("kustomization/dependency-missing", "dependency 'flux-system/base' not found", "spec.dependsOn.base.name"),
        ("kustomization/dependency-missing", "dependency 'flux-system/other' not found", "?"),
        (
            "kustomization/variables-missing",
            "post build failed for 'ConfigMap.v1.[noGrp]/x': substitute from 'ConfigMap/variables' error: not found",
            "spec.postBuild.substituteFrom.variables.name",
        ),
        (
            "kustomization/expression",
            "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Current: Syntax error",
            "spec.healthCheckExprs.0.current",
        ),
        ("kustomization/decryption", 'Secret "sops-age" not found', "spec.decryption.secretRef.name"),
        ("kustomization/suspended", "it is suspended", "spec.suspend"),
        ("kustomization/progressing", "Progressing: Reconciliation in progress", ""),
    ],
)
def test_a_field_of_a_kustomization(identifier: str, message: str, place: str) -> None:
    expected = f"cluster/apps.yaml{place if place == '?' else f' {place}'}".strip()
    assert look(identifier, "Kustomization/flux-system/apps", message)[0] == expected


def test_a_health_check_and_an_object_that_cannot_be_decrypted() -> None:
    [found] = look("kustomization/health-check-missing", "Deployment/shop/gone", "it waits for an object that does not exist")
    assert found == "cluster/apps.yaml spec.healthChecks.gone.name"
    message = "decryption failed for 'Service.v1.[noGrp]/web': cannot get sops data key"
    assert look("kustomization/decryption", "Kustomization/flux-system/apps", message)[0] == "apps/web-Service.yaml"


def test_a_build_that_fails_here_too_and_the_root() -> None:
    failed = Failure(FailureKind.UNDEFINED, "undefined", path="apps/web.yaml", line=7, variable="x")
    message = "variable substitution failed: variable not set (strict mode)"
    found = look("kustomization/substitution", "Kustomization/flux-system/apps", message, graph=rendered(failed))
    assert found[0] == "apps/web.yaml:7"
    assert look("kustomization/missing", "Kustomization/flux-system/flux-system", "it does not exist") == ["cluster/kustomization.yaml?"]


def test_the_cluster_has_no_place() -> None:
    assert look("cluster/unreachable", "Cluster/local", "it does not answer") == []
    assert look("flux/controller", "Deployment/flux-system/kustomize-controller", "it is stopped") == []
