"""Where a HelmRelease or a source has to be edited."""

from __future__ import annotations

import pytest

from .test_places import look

HELM = "Helm upgrade failed for release shop/shop with chart shop@0.1.0: "


SCHEMA = HELM + "values don't meet the specifications of the schema(s) in the following chart(s):\nshop:\n- at '"


@pytest.mark.parametrize(
    ("identifier", "message", "place"),
    [
        ("release/values", SCHEMA + "/api/replicas': got string, want integer", "apps/shop-HelmRelease.yaml spec.values.api.replicas"),
        ("release/values", SCHEMA + "': additional properties 'logLevel' not allowed", "apps/shop-HelmRelease.yaml spec.values.logLevel"),
        ("release/values", SCHEMA + "/other/key': got string, want integer", "chart/values.yaml other.key"),
        (
            "release/values",
            "could not resolve ConfigMap chart values reference 'shop/values' with key 'values.yaml': configmaps \"values\" not found",
            "apps/shop-HelmRelease.yaml spec.valuesFrom.values.name",
        ),
        ("release/render", HELM + "execution error at (shop/templates/fault.yaml:1:3): no such luck", "chart/templates/fault.yaml:1"),
        (
            "release/render",
            HELM + 'shop/templates/api.yaml:4:3\n  executing "x" at <include>:\n    error calling include:\nshop/templates/_a.tpl:12:14\n'
            "  executing: nil pointer evaluating interface {}.x",
            "chart/templates/_a.tpl:12",
        ),
        (
            "release/render",
            HELM + "YAML parse error on shop/templates/api.yaml: error converting YAML to JSON: yaml: line 5: did not find",
            "chart/templates/api.yaml?",
        ),
        (
            "release/chart-missing",
            "invalid chart reference: stat /tmp/x/source/chart: no such file or directory",
            "apps/shop-HelmRelease.yaml spec.chart.spec.chart",
        ),
        (
            "release/chart-missing",
            "no 'shop' chart with version matching '1.x' found",
            "apps/shop-HelmRelease.yaml spec.chart.spec.version",
        ),
        (
            "release/chart-missing",
            "dependency build error: found in Chart.yaml, but missing in charts/ directory: redis",
            "chart/Chart.yaml dependencies.redis",
        ),
        ("release/chart-unchanged", "the edit of values.yaml is not in the cluster", "chart/Chart.yaml version"),
        (
            "release/hook",
            HELM + "post-upgrade hooks failed: failed early due to stalled resources: [Job/shop/check status: 'Failed']",
            "chart/templates/check.yaml",
        ),
        ("release/hook", HELM + "resource Job/shop/check not ready. status: Failed, message: Job Failed", "chart/templates/check.yaml"),
        ("release/hook", HELM + "post-upgrade hooks failed: job check failed: BackoffLimitExceeded", "chart/templates/check.yaml"),
        (
            "release/failed",
            HELM + 'server-side apply failed for object shop/check batch/v1, Kind=Job: Job.batch "check" is invalid: spec.template: '
            "Invalid value: {}: field is immutable",
            "chart/templates/check.yaml spec",
        ),
        ("release/progressing", "dependency 'shop/base' is not ready", "apps/shop-HelmRelease.yaml spec.dependsOn.base.name"),
    ],
)
def test_a_field_of_a_release_or_a_line_of_its_chart(identifier: str, message: str, place: str) -> None:
    assert look(identifier, "HelmRelease/shop/shop", message)[0] == place


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("failed to checkout and determine revision: unable to list remote for 'http://x': dial tcp: connection refused", "spec.url"),
        ('failed to checkout and determine revision: couldn\'t find remote ref "refs/heads/x"', "spec.ref.branch"),
        ("failed to get secret 'shop/key': secrets \"key\" not found", "spec.secretRef.name"),
    ],
)
def test_a_field_of_a_source(message: str, field: str) -> None:
    assert look("source/failed", "GitRepository/shop/git", message)[0] == f"apps/git-GitRepository.yaml {field}"
