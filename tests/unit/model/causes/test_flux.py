"""The causes in the conditions of Flux's objects, with the messages of its controllers."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.model.causes.flux import kustomization_cause, release_cause, source_cause

from .objects import NOW, at


def flux(kind: str, reason: str, message: str, **status: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": message}
    metadata = {"namespace": "flux-system", "name": "apps", "generation": 1}
    return {"kind": kind, "metadata": metadata, "status": {"conditions": [ready], **status}}


REFUSED = 'Deployment/shop/web dry-run failed (Invalid): Deployment.apps "web" is invalid: '


@pytest.mark.parametrize(
    ("reason", "message", "identifier", "subject"),
    [
        (
            "ArtifactFailed",
            "kustomization path not found: stat /tmp/x/nowhere: no such file or directory",
            "kustomization/path-missing",
            "",
        ),
        ("ArtifactFailed", "Source 'GitRepository/flux-system/other' not found", "kustomization/source-missing", ""),
        ("ArtifactFailed", 'GitRepository.source.toolkit.fluxcd.io "other" not found', "kustomization/source-missing", ""),
        ("BuildFailed", "post build failed for 'a': envsubst error: variable substitution failed", "kustomization/substitution", ""),
        ("BuildFailed", "substitute from 'ConfigMap/x' error: configmaps \"x\" not found", "kustomization/variables-missing", ""),
        ("BuildFailed", "kustomize build failed: accumulating resources", "kustomization/build", ""),
        ("BuildFailed", "kustomize build failed: accumulating: open /tmp/a.yaml: no such file or directory", "kustomization/build", ""),
        (
            "ReconciliationFailed",
            'ConfigMap/a/b dry-run failed (InternalError): failed calling webhook "x"',
            "apply/admission",
            "ConfigMap/a/b",
        ),
        ("BuildFailed", "Secret/shop/x is SOPS encrypted, configuring decryption is required", "kustomization/decryption", ""),
        ("DependencyNotReady", "dependency 'flux-system/nothing' not found", "kustomization/dependency-missing", ""),
        ("PruneFailed", "could not delete", "kustomization/prune", ""),
        ("ReconciliationFailed", REFUSED + "spec.selector: Invalid value: field is immutable", "apply/immutable", "Deployment/shop/web"),
        ("ReconciliationFailed", REFUSED + "spec.replicas: Invalid value: -1", "apply/invalid", "Deployment/shop/web"),
        (
            "ReconciliationFailed",
            'Widget/shop/w dry-run failed: no matches for kind "Widget" in version "example.com/v1"',
            "apply/kind-missing",
            "Widget/shop/w",
        ),
        ("ReconciliationFailed", 'ConfigMap/shop/c not found: namespaces "shop" not found', "apply/namespace-missing", "ConfigMap/shop/c"),
        (
            "ReconciliationFailed",
            "ConfigMap/shop/c dry-run failed (Forbidden): unable to create new content in namespace shop because it is being terminated",
            "apply/namespace-terminating",
            "ConfigMap/shop/c",
        ),
        ("ReconciliationFailed", "Pod/shop/p dry-run failed (Forbidden): exceeded quota: budget", "apply/quota", "Pod/shop/p"),
        ("ReconciliationFailed", "Service/shop/s apply failed: something else", "apply/failed", "Service/shop/s"),
        ("ReconciliationFailed", "something else", "kustomization/failed", ""),
    ],
)
def test_a_kustomization(reason: str, message: str, identifier: str, subject: str) -> None:
    cause = kustomization_cause(flux("Kustomization", reason, message), final=False)
    assert cause is not None
    assert (cause.id, str(cause.object)) == (identifier, subject or "Kustomization/flux-system/apps")


@pytest.mark.parametrize("reason", ["HealthCheckCanceled", "Progressing", "ProgressingWithRetry", "DependencyNotReady"])
def test_a_kustomization_that_works_or_waits_has_no_cause(reason: str) -> None:
    assert kustomization_cause(flux("Kustomization", reason, "New reconciliation triggered"), final=True) is None


@pytest.mark.parametrize(
    ("message", "identifier", "failures", "final"),
    [
        ("values don't meet the specifications of the schema(s) in the following chart(s)", "release/values", 1, True),
        ('template: web/templates/a.yaml:1:2: executing "a" at <.x>: nil pointer evaluating interface {}.x', "release/render", 1, True),
        ("Helm install failed: failed post-install: 1 error occurred: timed out", "release/hook", 1, False),
        ("Helm install failed: 1 error occurred", "release/failed", 2, False),
        ("Helm install failed: 1 error occurred", "release/failed", 3, True),
    ],
)
def test_a_release(message: str, identifier: str, failures: int, final: bool) -> None:
    release = flux("HelmRelease", "InstallFailed", message, failures=failures, lastAttemptedGeneration=1)
    cause = release_cause(release, NOW)
    assert cause is not None
    assert (cause.id, cause.final) == (identifier, final)


def test_a_chart_or_values_that_do_not_exist_are_final_when_that_lasts() -> None:
    """Neither counts as a failure, and helm-controller may just not have seen them."""
    release = flux("HelmRelease", "ArtifactFailed", 'could not get Source object: helmcharts "x" HelmChart not found')
    for age, final in ((1, False), (5, True)):
        release["status"]["conditions"][0]["lastTransitionTime"] = at(-age)
        cause = release_cause(release, NOW)
        assert cause and (cause.id, cause.final) == ("release/chart-missing", final)


def test_failures_of_an_earlier_generation_are_not_final() -> None:
    cause = release_cause(flux("HelmRelease", "InstallFailed", "x", failures=9, lastAttemptedGeneration=0), NOW)
    assert cause and not cause.final


def test_a_source() -> None:
    failed = flux("GitRepository", "GitOperationFailed", "authentication required")
    cause = source_cause(failed, 0.0)
    assert cause and (cause.id, cause.message, cause.final) == ("source/failed", "authentication required", True)
    assert source_cause(flux("GitRepository", "Progressing", "x"), 9.0) is None
    chart = source_cause(flux("HelmChart", "ChartPackageError", "no such file"), 0.0)
    assert chart and chart.id == "release/chart-missing"


@pytest.mark.parametrize(
    ("spec", "waits"),
    [
        ({"url": "https://git.example.com/a.git"}, False),
        ({"url": "http://devloop-git:8080/a.git", "secretRef": {"name": "devloop-git"}}, True),
        ({"url": "http://chartmuseum.charts.svc.cluster.local:8080"}, True),
        ({"url": "oci://registry.default.svc/charts"}, True),
        ({"endpoint": "minio.minio.svc:9000"}, True),
        ({"url": "https://svc.example.com/a.git"}, False),
    ],
)
def test_a_server_that_does_not_answer_is_final_soon_unless_it_may_be_starting(spec: dict[str, Any], waits: bool) -> None:
    refused = {**flux("GitRepository", "GitOperationFailed", "dial tcp 10.0.0.1:80: connect: connection refused"), "spec": spec}
    for failing, final in ((0.5, False), (3.0, not waits)):
        cause = source_cause(refused, failing)
        assert cause
        assert cause.final == final


def test_a_release_that_was_rolled_back_has_the_cause_of_its_upgrade() -> None:
    release = flux("HelmRelease", "RollbackSucceeded", "Helm rollback to previous release shop/web.v3 succeeded", failures=1)
    upgrade = "Helm upgrade failed for release shop/web: post-upgrade hooks failed: job web-check failed: BackoffLimitExceeded"
    release["status"]["conditions"].append({"type": "Released", "status": "False", "reason": "UpgradeFailed", "message": upgrade})
    cause = release_cause(release, NOW)
    assert cause and (cause.id, cause.message) == ("release/hook", upgrade)
