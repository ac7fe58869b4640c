"""When no waiting will change a failure."""

from __future__ import annotations

from devloop.model.causes.expected import Expected, ExpectedObject
from devloop.model.causes.finality import is_final
from devloop.model.flux.reconciliation import Reconciliation

from .objects import at, deployment, ended, pod, replica_set, waiting, warning
from .test_environment import APPS, READY, REVISION, ROOT, diagnose, kustomization, reconciliation, release


def test_a_health_check_of_nothing_is_final_if_nothing_renders_it() -> None:
    spec = {"healthChecks": [{"kind": "Deployment", "namespace": "shop", "name": "web"}]}
    checking = kustomization(APPS, "Unknown", "Progressing", spec=spec, checking=True)
    other = ExpectedObject("apps", "Deployment", "shop", "other", "flux-system/apps")
    state = reconciliation(kustomization(ROOT), checking, expected=(other,))
    assert [cause.id for cause in diagnose(state).causes] == ["kustomization/health-check-missing"]
    assert is_final(diagnose(state))
    assert not is_final(diagnose(reconciliation(kustomization(ROOT), checking, expected=(other._replace(name="web"),))))
    of_release = ExpectedObject("apps", "Deployment", "shop", "api", "flux-system/apps", "shop/web")
    assert is_final(diagnose(reconciliation(kustomization(ROOT), checking, release(), expected=(other, of_release))))
    assert not is_final(diagnose(reconciliation(kustomization(ROOT), checking, release(), expected=(other,))))


def test_a_crash_is_final_if_it_happened_after_everything_else_was_ready() -> None:
    """The start of the container at NOW - 20 is 20 seconds before the diagnosis at 100."""
    objects = (*READY, deployment(), replica_set(1), pod(waiting("CrashLoopBackOff", lastState=ended(), restartCount=2)))
    state = reconciliation(*objects)
    assert is_final(diagnose(state, 100.0))
    state.observe("MODIFIED", {**deployment(), "metadata": {**deployment()["metadata"], "name": "db"}, "spec": {"replicas": 0}}, 90.0)
    assert not is_final(diagnose(state, 100.0))


def test_values_that_nothing_renders_are_final() -> None:
    failed = release("False", "ValuesError")
    failed["status"]["conditions"][0]["lastTransitionTime"] = at(-5)
    failed["status"]["conditions"][0]["message"] = 'could not resolve ConfigMap chart values reference: configmaps "values" not found'
    assert is_final(diagnose(reconciliation(*READY, failed)))
    values = ExpectedObject("", "ConfigMap", "shop", "values", "flux-system/apps")
    itself = ExpectedObject("helm.toolkit.fluxcd.io", "HelmRelease", "shop", "web", "flux-system/apps")
    assert not is_final(diagnose(reconciliation(*READY, failed, expected=(values, itself))))


def test_that_its_own_release_became_ready_does_not_help_a_crash() -> None:
    crashing = deployment()
    crashing["metadata"]["labels"] = {"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop"}
    crash = pod(waiting("CrashLoopBackOff", lastState=ended(), restartCount=2))
    installed = release(lastAttemptedGeneration=1)
    state = reconciliation(*READY, release("Unknown", "Progressing"), crashing, replica_set(1), crash)
    state.observe("MODIFIED", installed, 95.0)
    assert is_final(diagnose(state, 100.0))


def test_a_crash_of_an_earlier_run_is_final_while_nothing_else_becomes_ready() -> None:
    """The kubelet may wait for minutes before the next attempt."""
    state = Reconciliation(Expected(REVISION, {ROOT: (), APPS: (ROOT,)}), 90.0)
    for obj in (*READY, deployment(), replica_set(1), pod(waiting("CrashLoopBackOff", lastState=ended(), restartCount=9))):
        state.observe("ADDED", obj, 90.0)
    assert is_final(diagnose(state, 100.0))
    state.observe("ADDED", {**deployment(), "metadata": {**deployment()["metadata"], "name": "db"}, "spec": {"replicas": 0}}, 95.0)
    assert not is_final(diagnose(state, 100.0))


def test_a_source_that_failed_ends_the_wait_of_all_its_kustomizations() -> None:
    behind = [kustomization(name) for name in (ROOT, APPS)]
    for each in behind:
        each["status"] |= {"lastAppliedRevision": "main@sha1:aaa"}
    source = {"kind": "GitRepository", "metadata": {"namespace": "flux-system", "name": "flux-system"}}
    source["status"] = {"conditions": [{"type": "FetchFailed", "status": "True", "message": "invalid character in a file name"}]}
    state = reconciliation(*behind, source)
    assert [cause.id for cause in diagnose(state).causes] == ["source/failed"]
    assert is_final(diagnose(state))


def test_what_an_operator_may_still_make_is_not_final() -> None:
    failing = (*READY, deployment(), replica_set(1), pod(waiting("CreateContainerConfigError", 'secret "tls" not found')))
    web = ExpectedObject("apps", "Deployment", "shop", "web", "flux-system/apps")
    certificate = ExpectedObject("cert-manager.io", "Certificate", "shop", "tls", "flux-system/apps")
    assert is_final(diagnose(reconciliation(*failing, expected=(web,))))
    assert not is_final(diagnose(reconciliation(*failing, expected=(web, certificate))))


def test_a_crash_is_not_final_while_workloads_of_an_operator_start() -> None:
    crash = (*READY, deployment(), replica_set(1), pod(waiting("CrashLoopBackOff", lastState=ended(), restartCount=2)))
    database = {"kind": "StatefulSet", "metadata": {"namespace": "shop", "name": "db"}, "spec": {"replicas": 1}, "status": {}}
    assert is_final(diagnose(reconciliation(*crash), 100.0))
    assert not is_final(diagnose(reconciliation(*crash, database), 100.0))


def test_a_failure_that_may_pass_is_final_after_a_while() -> None:
    refused = "ConfigMap/a/b dry-run failed (InternalError): failed calling webhook: connect: connection refused"
    failed = kustomization(APPS, "False", "ReconciliationFailed", message=refused)
    state = reconciliation(kustomization(ROOT), failed)
    assert [cause.id for cause in diagnose(state, 5.0).causes] == ["apply/admission"]
    assert not is_final(diagnose(state, 5.0))
    assert is_final(diagnose(state, 12.0))


def test_a_release_is_tried_again_after_something_became_ready() -> None:
    """helm-controller fails three times within a moment."""
    failing = release("False", "InstallFailed", failures=3, lastAttemptedGeneration=1)
    state = reconciliation(kustomization(ROOT), kustomization(APPS), failing)
    state.observe("MODIFIED", {**deployment(), "spec": {"replicas": 0}}, 2.0)
    assert not is_final(diagnose(state))
    state.observe("MODIFIED", release("False", "InstallFailed", failures=4, lastAttemptedGeneration=1), 3.0)
    assert is_final(diagnose(state))


def test_what_a_pod_lacks_is_not_final_if_the_repository_or_the_cluster_makes_it() -> None:
    web = ExpectedObject("apps", "Deployment", "shop", "web", "flux-system/apps")
    for name, expected, final in (
        ("settings", (web,), True),
        ("settings", (web, ExpectedObject("", "ConfigMap", "shop", "settings", "flux-system/apps")), False),
        ("kube-root-ca.crt", (web,), False),
    ):
        lacks = pod(waiting("CreateContainerConfigError", f'configmap "{name}" not found'))
        assert is_final(diagnose(reconciliation(*READY, deployment(), replica_set(1), lacks, expected=expected))) is final


def test_a_claim_is_not_final_if_the_repository_or_the_cluster_makes_its_storage_class() -> None:
    web = ExpectedObject("apps", "Deployment", "shop", "web", "flux-system/apps")
    waits = kustomization(APPS, "Unknown", "Progressing", checking=True, spec={"healthChecks": [CLAIM_REF]})
    for name, expected, final in (
        ("fast", (web,), True),
        ("fast", (web, ExpectedObject("storage.k8s.io", "StorageClass", "", "fast", "flux-system/apps")), False),
        ("standard", (web,), False),
    ):
        claim = {**CLAIM_REF, "metadata": {"namespace": "shop", "name": "data", "uid": "data"}, "status": {"phase": "Pending"}}
        said = warning("data", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
        assert is_final(diagnose(reconciliation(kustomization(ROOT), waits, claim, said, expected=expected))) is final


CLAIM_REF = {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": "data"}


def test_a_template_that_fails_is_final_at_once_unless_its_values_are_elsewhere() -> None:
    failing = release("False", "UpgradeFailed", failures=1, lastAttemptedGeneration=1)
    failing["status"]["conditions"][0]["message"] = "execution error at (web/templates/a.yaml:1:4): no such luck"
    progress = {**deployment(), "spec": {"replicas": 0}}
    for spec, final in (({}, True), ({"valuesFrom": [{"kind": "ConfigMap", "name": "settings"}]}, False)):
        state = reconciliation(kustomization(ROOT), kustomization(APPS), {**failing, "spec": spec})
        state.observe("MODIFIED", progress, 2.0)
        assert is_final(diagnose(state)) is final
