"""In a chain the first broken link leads, and what waits for it is no cause."""

from __future__ import annotations

from typing import Any

from devloop.model.causes.finality import is_final

from .test_environment import APPS, ROOT, diagnose, found, kustomization, reconciliation

KIND = "HelmRelease"


def release(name: str, *depends_on: str, reason: str = "DependencyNotReady", message: str = "dependency is not ready") -> dict[str, Any]:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    return {
        "kind": KIND,
        "metadata": {"name": name, "namespace": "shop", "generation": 1, "labels": labels},
        "spec": {"dependsOn": [{"name": each} for each in depends_on]},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "False", "reason": reason, "message": message}]},
    }


def waiting(*names: str) -> dict[str, Any]:
    checks = [{"kind": KIND, "name": name, "namespace": "shop"} for name in names]
    return kustomization(APPS, "Unknown", "Progressing", checking=True, spec={"healthChecks": checks})


def test_twenty_releases_that_wait_for_one() -> None:
    behind = [release(f"a{number:02}", "base" if number == 0 else f"a{number - 1:02}") for number in range(20)]
    base = release("base", reason="InstallFailed", message="execution error at (base/templates/a.yaml:1:3): no")
    names = [*(each["metadata"]["name"] for each in behind), "base"]
    assert found(kustomization(ROOT), waiting(*names), *behind, base) == [("release/render", "HelmRelease/shop/base", "flux-system/apps")]
    assert [each[0] for each in found(kustomization(ROOT), kustomization(APPS), *behind, base)] == ["release/render"]


def test_releases_in_a_circle_and_one_that_waits_for_nothing_that_exists() -> None:
    circle = [release("a", "b"), release("b", "a")]
    assert {each[1] for each in found(kustomization(ROOT), waiting("a", "b"), *circle)} == {"HelmRelease/shop/a", "HelmRelease/shop/b"}
    lonely = release("c", "nothing")
    assert [each[1] for each in found(kustomization(ROOT), waiting("c"), lonely)] == ["HelmRelease/shop/c"]


PARENT = {**kustomization(ROOT, "Unknown", "Progressing", checking=True, spec={"wait": True})}
PARENT["status"] = {**PARENT["status"], "inventory": {"entries": [{"id": "flux-system_apps_kustomize.toolkit.fluxcd.io_Kustomization"}]}}
FAILED = kustomization(APPS, "False", "BuildFailed", message="kustomize build failed: no")


def test_a_parent_that_waits_for_its_child_is_behind_it() -> None:
    state = reconciliation(PARENT, FAILED)
    assert [(cause.id, cause.kustomization) for cause in diagnose(state).causes] == [("kustomization/build", "flux-system/apps")]
    assert is_final(diagnose(state))


def test_a_parent_that_waits_for_a_suspended_child_or_in_a_circle_has_a_cause() -> None:
    suspended = kustomization(APPS, "False", "BuildFailed", spec={"suspend": True})
    assert [each[:2] for each in found(PARENT, suspended)] == [("kustomization/progressing", "Kustomization/flux-system/flux-system")]
    circle = kustomization(APPS, "False", "DependencyNotReady", spec={"dependsOn": [{"name": "flux-system"}]})
    assert [each[0] for each in found(PARENT, circle)] == ["kustomization/progressing"]


def test_a_controller_that_does_not_run_leads() -> None:
    labels = {"app.kubernetes.io/managed-by": "devloop"}
    metadata = {"name": "kustomize-controller", "namespace": "flux-system", "generation": 1, "labels": labels, "uid": "c"}
    controller = {"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}, "status": {"observedGeneration": 1}}
    assert [each[0] for each in found(kustomization(ROOT), FAILED, controller)] == ["flux/controller", "kustomization/build"]
