"""The causes of a whole environment, and when a failure is final."""

from __future__ import annotations

from typing import Any

from devloop.model.causes.cause import ObjectRef
from devloop.model.causes.environment import Diagnosis
from devloop.model.causes.expected import Expected, ExpectedObject
from devloop.model.causes.finality import is_final
from devloop.model.flux.reconciliation import Reconciliation
from devloop.model.kubernetes.objects import ObjectId

from .objects import NOW, at, deployment, ended, pod, replica_set, running, waiting

REVISION = "main@sha1:bbb"


ROOT, APPS = ObjectId("flux-system", "flux-system"), ObjectId("flux-system", "apps")


CHECKING = [
    {"type": "Healthy", "status": "Unknown", "reason": "Progressing"},
    {"type": "Reconciling", "status": "True", "message": f"Running health checks for revision {REVISION} with a timeout of 5m0s"},
]


def kustomization(object_id: ObjectId, ready: str = "True", reason: str = "ReconciliationSucceeded", **more: Any) -> dict[str, Any]:
    spec = {"sourceRef": {"kind": "GitRepository", "name": "flux-system"}, **more.pop("spec", {})}
    conditions = [{"type": "Ready", "status": ready, "reason": reason, "message": more.pop("message", "")}]
    if more.pop("checking", False):
        conditions += CHECKING
    status = {"observedGeneration": 1, "lastAppliedRevision": REVISION, "lastAttemptedRevision": REVISION, "conditions": conditions}
    metadata = {"name": object_id.name, "namespace": object_id.namespace, "generation": 1, **more.pop("metadata", {})}
    return {"kind": "Kustomization", "metadata": metadata, "spec": spec, "status": status}


def release(ready: str = "True", reason: str = "InstallSucceeded", **status: Any) -> dict[str, Any]:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    conditions = [{"type": "Ready", "status": ready, "reason": reason, "message": "it is so"}]
    metadata = {"name": "web", "namespace": "shop", "generation": 1, "labels": labels}
    return {
        "kind": "HelmRelease",
        "metadata": metadata,
        "spec": {},
        "status": {"observedGeneration": 1, "conditions": conditions, **status},
    }


def reconciliation(*objects: dict[str, Any], expected: tuple[ExpectedObject, ...] = ()) -> Reconciliation:
    state = Reconciliation(Expected(REVISION, {ROOT: (), APPS: (ROOT,)}, objects=expected), 0.0)
    for obj in objects:
        state.observe("ADDED", obj, 1.0)
    return state


def diagnose(state: Reconciliation, now: float = 5.0) -> Diagnosis:
    return Diagnosis(state, now, NOW)


def found(*objects: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(cause.id, str(cause.object), cause.kustomization) for cause in diagnose(reconciliation(*objects)).causes]


READY = (kustomization(ROOT), kustomization(APPS))


def test_an_environment_without_its_kustomizations_is_not_healthy() -> None:
    assert found() == [("kustomization/missing", "Kustomization/flux-system/flux-system", "flux-system/flux-system")]
    assert found(kustomization(ROOT)) == [("kustomization/missing", "Kustomization/flux-system/apps", "flux-system/apps")]


def test_a_kustomization_that_is_being_deleted_is_not_ready() -> None:
    doomed = kustomization(APPS, metadata={"deletionTimestamp": "2026-05-01T11:59:00Z", "finalizers": ["finalizers.fluxcd.io"]})
    state = reconciliation(kustomization(ROOT), doomed)
    assert not state.healthy(5.0)
    [cause] = diagnose(state).causes
    assert (cause.id, cause.message) == ("kustomization/terminating", "it is being deleted, held by finalizers.fluxcd.io")


def test_a_release_that_failed_and_that_nobody_waits_for() -> None:
    failed = release("False", "InstallFailed", failures=3, lastAttemptedGeneration=1)
    state = reconciliation(*READY, failed)
    assert not state.healthy(5.0)
    assert found(*READY, failed) == [("release/failed", "HelmRelease/shop/web", "flux-system/apps")]
    assert is_final(diagnose(state))


def test_a_suspended_release_is_left_alone() -> None:
    assert reconciliation(*READY, {**release("False"), "spec": {"suspend": True}}).healthy(5.0)


def test_a_release_has_to_have_the_chart_of_the_revision() -> None:
    source = {"kind": "GitRepository", "metadata": {"namespace": "flux-system", "name": "flux-system"}}
    source["status"] = {"artifact": {"revision": REVISION}}
    chart: dict[str, Any] = {"kind": "HelmChart", "metadata": {"namespace": "flux-system", "name": "shop-web"}}
    chart["spec"] = {"sourceRef": {"kind": "GitRepository", "name": "flux-system"}}
    current = release(helmChart="flux-system/shop-web", lastAttemptedRevision="0.1.0")
    for observed, packaged, healthy in ((REVISION, "0.1.0", True), ("main@sha1:old", "0.1.0", False), (REVISION, "0.2.0", False)):
        chart["status"] = {"observedSourceArtifactRevision": observed, "artifact": {"revision": packaged}}
        assert reconciliation(*READY, source, chart, current).healthy(5.0) is healthy


def test_the_message_of_our_own_request_is_no_cause_but_the_targets_are() -> None:
    spec = {"healthChecks": [{"kind": "Deployment", "namespace": "shop", "name": "web"}]}
    canceled = kustomization(APPS, "False", "HealthCheckCanceled", message="New reconciliation triggered", spec=spec, checking=True)
    objects = (kustomization(ROOT), canceled, deployment(), replica_set(1), pod(waiting("ErrImagePull", "not found")))
    assert found(*objects) == [("pod/image-pull", "Deployment/shop/web", "flux-system/apps")]


def test_the_failure_of_a_source_leads() -> None:
    waits = kustomization(ROOT, "False", "ArtifactFailed", message="Source artifact not found, retrying in 5s")
    source = {"kind": "GitRepository", "metadata": {"namespace": "flux-system", "name": "flux-system"}}
    source["status"] = {"conditions": [{"type": "FetchFailed", "status": "True", "message": "invalid character in a file name"}]}
    assert found(waits, source) == [("source/failed", "GitRepository/flux-system/flux-system", "flux-system/flux-system")]


def test_a_workload_that_restarted_a_moment_ago_is_a_cause_although_it_is_available() -> None:
    available = deployment(replicas=2, updatedReplicas=2, availableReplicas=2)
    again = pod(running(-5, lastState=ended(), restartCount=1))
    assert found(*READY, available, replica_set(1), again) == [("pod/crash", "Deployment/shop/web", "flux-system/apps")]
    proven = pod(running(-11, lastState=ended(), restartCount=1))
    assert found(*READY, available, replica_set(1), proven) == []


def test_an_inventory_id_names_an_object() -> None:
    entries = [{"id": "shop_web_apps_Deployment"}, {"id": "_system__a_rbac.authorization.k8s.io_ClusterRole"}]
    obj = kustomization(APPS)
    obj["status"]["inventory"] = {"entries": entries}
    own = ObjectRef("Kustomization", "flux-system", "apps")
    assert reconciliation(obj).applied() == {own, ObjectRef("Deployment", "shop", "web"), ObjectRef("ClusterRole", "", "system:a")}


def test_what_is_expected_survives_a_file() -> None:
    objects = (ExpectedObject("apps", "Deployment", "shop", "web", "flux-system/apps", "shop/web"),)
    expected = Expected(REVISION, {ROOT: (), APPS: (ROOT,)}, frozenset({APPS}), objects)
    assert Expected.from_json(expected.to_json()) == expected


def test_the_claim_that_a_pod_waits_for_tells_more_than_the_pod() -> None:
    unbound = [{"type": "PodScheduled", "status": "False", "message": "pod has unbound immediate PersistentVolumeClaims"}]
    waits = pod(phase="Pending", conditions=unbound)
    waits["spec"]["volumes"] = [{"persistentVolumeClaim": {"claimName": "data"}}]
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"namespace": "shop", "name": "data"}, "status": {"phase": "Pending"}}
    claim["metadata"]["creationTimestamp"] = at(-20)
    objects = (*READY, deployment(), replica_set(1), waits, claim)
    assert found(*objects) == [("volume/pending", "PersistentVolumeClaim/shop/data", "flux-system/apps")]
    assert is_final(diagnose(reconciliation(*objects)))
    assert not is_final(diagnose(reconciliation(*objects[:-1], {**claim, "spec": {"storageClassName": "slow"}})))
    claim["metadata"]["creationTimestamp"] = at(-5)
    assert not is_final(diagnose(reconciliation(*objects)))


def test_a_pod_of_the_repository_has_to_run() -> None:
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    bare = pod(waiting("ErrImagePull", "not found"), phase="Pending")
    bare["metadata"] = {**bare["metadata"], "labels": labels, "ownerReferences": []}
    assert found(*READY, bare) == [("pod/image-pull", "Pod/shop/web-1-a", "flux-system/apps")]


def test_objects_that_a_health_check_waits_for_and_that_are_not_watched_are_named() -> None:
    spec = {"healthChecks": [{"kind": "Widget", "namespace": "shop", "name": "w"}]}
    checking = kustomization(APPS, "Unknown", "Progressing", spec=spec, checking=True)
    state = reconciliation(kustomization(ROOT), checking)
    assert list(state.checking(1.0)) == [ObjectRef("Widget", "shop", "w")]
    assert list(state.checking(0.5)) == []
    widget = {"kind": "Widget", "metadata": {"namespace": "shop", "name": "w"}}
    widget["status"] = {"conditions": [{"type": "Ready", "status": "False", "message": "no parts"}]}
    state.observe("ADDED", widget, 1.0)
    assert [(cause.id, cause.message) for cause in diagnose(state).causes] == [("object/not-ready", "no parts")]


def test_a_release_without_a_chart_has_the_cause_of_its_source() -> None:
    waiting_release = release("False", "SourceNotReady", helmChart="flux-system/shop-web")
    chart: dict[str, Any] = {"kind": "HelmChart", "metadata": {"namespace": "flux-system", "name": "shop-web"}}
    chart["spec"] = {"sourceRef": {"kind": "HelmRepository", "name": "charts"}}
    chart["status"] = {
        "conditions": [{"type": "FetchFailed", "status": "True", "reason": "NoSourceArtifact", "message": "no artifact available"}]
    }
    state = reconciliation(*READY, waiting_release, chart)
    assert [(cause.id, cause.final) for cause in diagnose(state).causes] == [("release/chart-missing", False)]
    source: dict[str, Any] = {"kind": "HelmRepository", "metadata": {"namespace": "flux-system", "name": "charts"}}
    for message, final in (("no such host", True), ("i/o timeout", False)):
        source["status"] = {"conditions": [{"type": "FetchFailed", "status": "True", "message": message}]}
        state.observe("MODIFIED", source, 1.0)
        [cause] = diagnose(state).causes
        assert (cause.id, str(cause.object), cause.final) == ("source/failed", "HelmRepository/flux-system/charts", final)


def test_a_failure_of_an_earlier_revision_is_no_cause() -> None:
    """The workload still has the fault that the edit fixes, until its Kustomization has applied the edit."""
    failing = (deployment(), replica_set(1), pod(waiting("ErrImagePull", "not found")))
    waits = kustomization(APPS, "False", "DependencyNotReady")
    waits["status"] |= {"lastAppliedRevision": "main@sha1:aaa", "lastAttemptedRevision": "main@sha1:aaa"}
    assert "pod/image-pull" not in [cause for cause, _, _ in found(kustomization(ROOT), waits, *failing)]
    applies = kustomization(APPS, "Unknown", "Progressing")
    assert "pod/image-pull" not in [cause for cause, _, _ in found(kustomization(ROOT), applies, *failing)]
    applies["status"]["conditions"] += [CHECKING[0], {**CHECKING[1], "message": "Detecting drift for revision x"}]
    assert "pod/image-pull" not in [cause for cause, _, _ in found(kustomization(ROOT), applies, *failing)]
    assert "pod/image-pull" in [cause for cause, _, _ in found(*READY, *failing)]


def job(**metadata: Any) -> dict[str, Any]:
    labels = {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop"}
    failed = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]
    return {
        "kind": "Job",
        "metadata": {"namespace": "shop", "name": "check", "labels": labels, **metadata},
        "status": {"conditions": failed},
    }


def test_a_hook_counts_while_its_release_fails_because_of_it() -> None:
    hook = job(annotations={"helm.sh/hook": "post-install"})
    assert found(*READY, release(), hook) == []
    failed = release("False", "InstallFailed")
    failed["status"]["conditions"][0]["message"] = "failed post-install: job check failed"
    assert [cause for cause, _, _ in found(*READY, failed, hook)] == ["release/hook", "job/failed"]


def test_what_an_owner_no_longer_renders_does_not_count() -> None:
    other = ExpectedObject("apps", "Deployment", "shop", "other", "flux-system/apps")
    assert reconciliation(*READY, deployment(), expected=(other,)).healthy(5.0)
    assert not reconciliation(*READY, deployment(), expected=(other._replace(name="web"),)).healthy(5.0)


def test_a_dependency_that_was_created_since_is_not_missing() -> None:
    waits = kustomization(APPS, "False", "DependencyNotReady", message="dependency 'flux-system/later' not found")
    waits["spec"]["dependsOn"] = [{"name": "later"}]
    assert [cause for cause, _, _ in found(kustomization(ROOT), waits)] == ["kustomization/dependency-missing"]
    later = kustomization(ObjectId("flux-system", "later"))
    assert found(kustomization(ROOT), waits, later) == []
    assert not is_final(diagnose(reconciliation(kustomization(ROOT), waits, later)))


def test_a_source_that_the_repository_renders_has_to_be_fetched_although_nobody_waits_for_it() -> None:
    rendered = ExpectedObject("source.toolkit.fluxcd.io", "HelmRepository", "flux-system", "charts", "flux-system/apps")
    labels = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    metadata = {"namespace": "flux-system", "name": "charts", "generation": 1, "labels": labels}
    new = {"kind": "HelmRepository", "metadata": metadata, "spec": {"url": "https://charts.example.com"}}
    refused = {"type": "Ready", "status": "False", "reason": "Failed", "message": "connect: connection refused"}
    failed = {**new, "status": {"observedGeneration": 1, "conditions": [refused]}}
    of_registry = {**new, "spec": {"type": "oci", "url": "oci://registry.example.com"}}
    for obj, healthy, causes in ((new, False, ["object/not-ready"]), (failed, False, ["source/failed"]), (of_registry, True, [])):
        state = reconciliation(*READY, obj, expected=(rendered,))
        assert state.healthy(5.0) is healthy
        assert [cause.id for cause in diagnose(state).causes] == causes
    assert not is_final(diagnose(reconciliation(*READY, failed, expected=(rendered,)), 2.0))
    assert is_final(diagnose(reconciliation(*READY, failed, expected=(rendered,)), 9.0))
    assert reconciliation(*READY, failed).healthy(5.0)
