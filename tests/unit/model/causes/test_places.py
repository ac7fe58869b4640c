"""The object and field that a cause is about, with the messages of real clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.field_paths import Field
from devloop.model.causes.hints import hint_of
from devloop.model.causes.observed import Observed
from devloop.model.causes.places import places
from devloop.model.causes.rendered import Rendered, owners_in
from devloop.model.flux.graph import Failure, Graph, Node, NodeState, Release
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.kubernetes.objects import ObjectId

WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "ignore"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "serviceAccountName": "web",
                "nodeSelector": {"disk": "fast"},
                "securityContext": {"runAsNonRoot": True},
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "args": ["serve"],
                        "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "web", "key": "token"}}}],
                        "envFrom": [{"configMapRef": {"name": "web"}}, {"secretRef": {"name": "other"}}],
                        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 80}},
                        "readinessProbe": {"tcpSocket": {"port": 80}},
                        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "64Mi"}},
                    },
                    {"name": "proxy", "image": "proxy:1", "command": ["proxy"], "resources": {"limits": {"memory": "64MB"}}},
                ],
                "volumes": [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "data", "hostPath": {"path": "/"}}],
            },
        },
    },
}


QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "budget", "namespace": "shop"},
    "spec": {"hard": {"pods": "2", "requests.cpu": "1"}},
}


CLAIMING = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "db-main", "namespace": "shop"},
    "spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "none"}}]},
}


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"ports": [{"port": 70000}, {"port": 2}]},
}


DATABASE = {"apiVersion": "example.com/v1", "kind": "Database", "metadata": {"name": "db", "namespace": "shop"}, "spec": {}}


GIT = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"name": "git", "namespace": "shop"},
    "spec": {"url": "http://x", "ref": {"branch": "main"}, "secretRef": {"name": "key"}},
}


RELEASE: dict[str, Any] = {
    "apiVersion": "helm.toolkit.fluxcd.io/v2",
    "kind": "HelmRelease",
    "metadata": {"name": "shop", "namespace": "shop"},
    "spec": {
        "chart": {"spec": {"chart": "./chart", "version": "1.x", "sourceRef": {"name": "git"}}},
        "dependsOn": [{"name": "base"}],
        "values": {"api": {"replicas": "many"}, "logLevel": "loud"},
        "valuesFrom": [{"kind": "ConfigMap", "name": "values"}],
    },
}


CHECK = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "check"}, "spec": {}}


APPS: dict[str, Any] = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"name": "apps", "namespace": "flux-system"},
    "spec": {
        "path": "./apps",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        "dependsOn": [{"name": "base"}],
        "serviceAccountName": "weak",
        "decryption": {"provider": "sops", "secretRef": {"name": "sops-age"}},
        "healthChecks": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone", "namespace": "shop"}],
        "healthCheckExprs": [{"apiVersion": "v1", "kind": "ConfigMap", "current": "data.key =="}],
        "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "variables"}]},
        "suspend": True,
    },
}


OBJECTS = (WEB, QUOTA, CLAIMING, SERVICE, DATABASE, GIT, RELEASE)


NAME = "flux-system/apps"


def rendered(failure: Failure | None = None, body: dict[str, Any] = APPS) -> Rendered:
    root = {**APPS, "metadata": {"name": "flux-system", "namespace": "flux-system"}}
    manifests = [Manifest(each, Origin(f"apps/{each['metadata']['name']}-{each['kind']}.yaml")) for each in OBJECTS]
    manifests.append(Manifest(CHECK, Origin("chart/templates/check.yaml"), release="shop/shop"))
    releases = (Release(ObjectId("shop", "shop"), NodeState.BUILT, "chart"),)
    above = Node(parse_kustomization(root), NodeState.BUILT, directory="cluster", files=("cluster/kustomization.yaml", "cluster/apps.yaml"))
    above = Node(**{**vars(above), "manifests": (Manifest(body, Origin("cluster/apps.yaml")),)})
    state = NodeState.FAILED if failure else NodeState.BUILT
    node = Node(
        parse_kustomization(body),
        state,
        ObjectId("flux-system", "flux-system"),
        Origin("cluster/apps.yaml"),
        "apps",
        tuple(manifests),
        failure=failure,
        releases=releases,
    )
    return Rendered(Graph("local", ".", "cluster", (above, node)))


def look(identifier: str, ref: str, message: str, *, graph: Rendered | None = None, observed: Observed | None = None) -> list[str]:
    """`path field`, and the note of a related place; what is known of the file alone ends in `?`."""
    kind, _, rest = ref.partition("/")
    namespace, _, name = rest.rpartition("/")
    cause = Cause(identifier, ObjectRef(kind, namespace, name), message[:240], NAME, said=message)
    found = places(cause, graph or rendered(), owners_in(observed or Observed()))
    return [shown(each.location.path, each.location.field, each.note, each.location.line, exact=each.is_exact) for each in found]


def shown(path: str, field: Field, note: str, line: int, *, exact: bool) -> str:
    steps = ".".join(str(step) if isinstance(step, str | int) else "=".join(step.values()) for step in field)
    where = f"{path}{f':{line}' if line else ''}{'' if exact else '?'}"
    return " ".join(part for part in (where, steps, f"({note})" if note else "") if part)


SSA = "kustomize.toolkit.fluxcd.io/ssa"


POD = "spec.template.spec"


C = f"{POD}.containers.web"


SECURE = f"{POD}.securityContext.runAsNonRoot"


@pytest.mark.parametrize(
    ("identifier", "message", "field"),
    [
        ("pod/image-pull", "container web: cannot pull the image web:1: web:1: not found", f"{C}.image"),
        ("pod/image-name", "container proxy: Proxy:1 is not an image reference", f"{POD}.containers.proxy.image"),
        ("pod/crash", "container web exited with code 2, restarted 1 time", f"{C}.args"),
        ("pod/crash", "container proxy exited with code 2", f"{POD}.containers.proxy.command"),
        ("pod/crash", "container unknown exited with code 2", ""),
        ("pod/start-failed", 'container web: exec: "/no/such/program": stat /no/such/program: no such file or directory', f"{C}.args"),
        ("pod/start-failed", "container web: container has runAsNonRoot and image will run as root (container: web)", SECURE),
        ("pod/out-of-memory", "container web ran out of memory (limit 64Mi, exit code 137)", f"{C}.resources.limits.memory"),
        (
            "pod/out-of-memory",
            "container proxy ran out of memory (limit that of the node, exit code 137)",
            f"{POD}.containers.proxy.resources.limits.memory",
        ),
        (
            "pod/liveness",
            "container web was killed: Liveness probe failed: HTTP probe failed with statuscode: 500",
            f"{C}.livenessProbe.httpGet.path",
        ),
        ("pod/liveness", "container web was killed: Liveness probe failed: command timed out", f"{C}.livenessProbe"),
        (
            "pod/not-ready",
            "container web: Readiness probe failed: dial tcp 10.0.0.1:80: connect: connection refused",
            f"{C}.readinessProbe.tcpSocket.port",
        ),
        ("pod/not-ready", "container proxy: it runs and is not ready yet", f"{POD}.containers.proxy"),
        ("pod/config-missing", 'container web: configmap "web" not found', f"{C}.envFrom.0.configMapRef.name"),
        ("pod/config-missing", 'container web: secret "other" not found', f"{C}.envFrom.1.secretRef.name"),
        ("pod/config-missing", "container web: couldn't find key token in Secret shop/web", f"{C}.env.TOKEN.valueFrom.secretKeyRef.key"),
        (
            "pod/config-missing",
            'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found',
            f"{POD}.volumes.settings.configMap.name",
        ),
        ("pod/volume", 'MountVolume.SetUp failed for volume "data" : hostPath type check failed', f"{POD}.volumes.data"),
        (
            "pod/unschedulable",
            "the pod cannot be scheduled: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            f"{POD}.nodeSelector",
        ),
        ("pod/unschedulable", "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate", f"{C}.resources.requests.cpu"),
        ("pod/unschedulable", "0/1 nodes are available: 1 node(s) were unschedulable.", ""),
        (
            "workload/not-created",
            'pods "web-1" is forbidden: error looking up service account shop/web: serviceaccount "web" not found',
            f"{POD}.serviceAccountName",
        ),
        (
            "workload/not-created",
            'pods "web-1" is forbidden: maximum memory usage per Container is 32Mi, but limit is 64Mi',
            f"{C}.resources.limits.memory",
        ),
        (
            "workload/pod-security",
            'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "proxy" '
            'must set securityContext.allowPrivilegeEscalation=false), hostPath volumes (volume "data")',
            f"{POD}.containers.proxy",
        ),
        (
            "workload/pod-security",
            'pods "web-1" is forbidden: violates PodSecurity "baseline:latest": hostPath volumes (volume "data")',
            f"{POD}.volumes.data",
        ),
        ("workload/not-available", "Deployment does not have minimum availability", ""),
        (
            "apply/immutable",
            'dry-run failed (Invalid): Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable',
            "spec.selector",
        ),
        (
            "apply/invalid",
            'Deployment.apps "web" is invalid: spec.template.spec.containers[1].image: Required value',
            f"{POD}.containers.proxy.image",
        ),
        (
            "apply/invalid",
            'The Deployment "web" is invalid: metadata.annotations: Invalid value: "ignore": no',
            f"metadata.annotations.{SSA}",
        ),
        (
            "apply/invalid",
            "unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression '^x$'",
            f"{POD}.containers.proxy.resources.limits.memory",
        ),
        ("apply/kind-missing", 'no matches for kind "Deployment" in version "apps/v9"', "apiVersion"),
        ("apply/namespace-missing", 'Deployment/shop/web not found: namespaces "shop" not found', "metadata.namespace"),
        ("object/missing", "it does not exist", ""),
        ("object/not-reconciled", "kustomize.toolkit.fluxcd.io/ssa: ignore keeps Flux from applying edits", f"metadata.annotations.{SSA}"),
    ],
)
def test_a_field_of_a_workload(identifier: str, message: str, field: str) -> None:
    assert look(identifier, "Deployment/shop/web", message)[0] == f"apps/web-Deployment.yaml {field}".strip()


def test_a_quota_is_related_to_what_it_refuses() -> None:
    message = 'pods "web-1" is forbidden: exceeded quota: budget, requested: requests.cpu=1, used: requests.cpu=1, limited: requests.cpu=1'
    own = f"apps/web-Deployment.yaml {C}.resources.requests.cpu"
    quota = "apps/budget-ResourceQuota.yaml spec.hard.requests.cpu (the quota)"
    assert look("workload/quota", "Deployment/shop/web", message)[:2] == [own, quota]
    message = message.replace("requests.cpu", "pods")
    assert look("workload/quota", "Deployment/shop/web", message)[0] == "apps/web-Deployment.yaml spec.replicas"


def test_all_fields_that_are_refused() -> None:
    message = "[spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, spec.ports[1].port: Invalid value: 2: no]"
    assert look("apply/invalid", "Service/shop/web", message)[:2] == [
        "apps/web-Service.yaml spec.ports.0.port",
        "apps/web-Service.yaml spec.ports.1.port (another field that is refused)",
    ]


def test_a_claim_of_a_stateful_set() -> None:
    found = look("volume/pending", "PersistentVolumeClaim/shop/data-db-main-0", 'storageclass "none" not found')
    assert found[0] == "apps/db-main-StatefulSet.yaml spec.volumeClaimTemplates.0.spec.storageClassName"


def test_what_an_operator_makes_goes_to_the_object_that_it_makes_it_for() -> None:
    observed = Observed()
    owners = [{"kind": "Database", "name": "db", "uid": "1"}]
    made = {"kind": "Deployment", "metadata": {"name": "db-0", "namespace": "shop", "ownerReferences": owners}}
    observed.take("ADDED", made)
    found = look("pod/crash", "Deployment/shop/db-0", "container db exited with code 1", observed=observed)
    assert found[0] == "apps/db-Database.yaml"
    assert look("pod/crash", "Deployment/shop/db-0", "container db exited with code 1") == ["cluster/apps.yaml"]


def broken(value: Any, *path: str | int) -> Iterator[Any]:
    """The value with each of its parts replaced by something else."""
    for other in (None, "x", [None, 1, {"name": 1}]):
        yield other
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        for other in broken(inner, *path, key):
            changed = dict(value) if isinstance(value, dict) else list(value)
            changed[key] = other
            yield changed


EVERYTHING = (
    'container web: couldn\'t find key token in Secret shop/web; volume "settings"; Insufficient cpu; free ports; hostPort 80; '
    "exceeded quota: budget, requested: limits.memory=1,pods=1, used: x; must specify limits.cpu for: web; securityContext.a.b=c; "
    "- at '/api/replicas': additional properties 'x' not allowed; dependency 'shop/base' is not ready; "
    "healthchecks[0]: expression Current; [spec.ports[0].port: Invalid value: 1, .spec.a[b=c].d: no]; quantities must match; "
    "substitute from 'ConfigMap/a' error"
)


SHAPED = (
    *("pod/config-missing", "pod/unschedulable", "pod/crash", "volume/pending", "workload/quota", "workload/pod-security"),
    *("apply/invalid", "release/values", "release/chart-missing", "release/failed", "source/failed", "object/not-reconciled"),
)


@pytest.mark.parametrize("body", [WEB, RELEASE, CLAIMING, SERVICE], ids=lambda body: body["kind"])
def test_an_object_of_any_shape_has_some_place(body: dict[str, Any]) -> None:
    ref = ObjectRef(body["kind"], "shop", body["metadata"]["name"])
    node = Node(parse_kustomization(APPS), NodeState.BUILT)
    for spec in broken(body["spec"]):
        changed = Node(**{**vars(node), "manifests": (Manifest({**body, "spec": spec}, Origin("a.yaml")),)})
        graph = Rendered(Graph("local", ".", "cluster", (changed,)))
        for identifier in SHAPED:
            cause = Cause(identifier, ref, EVERYTHING, NAME)
            assert all(place.location.path for place in places(cause, graph))
            hint_of(cause, graph)
