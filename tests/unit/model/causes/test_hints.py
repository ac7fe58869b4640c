"""Hints that name what the repository has, or that can be pasted."""

from __future__ import annotations

import pytest

from devloop.model.causes.cause import Cause, ObjectRef
from devloop.model.causes.hints import hint_of
from devloop.model.causes.rendered import Rendered
from devloop.model.flux.graph import Failure, FailureKind, Graph, Node, NodeState
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.kubernetes.manifest import Manifest, Origin

from .test_places import APPS, GIT


def made(kind: str, name: str, path: str = "apps/a.yaml", namespace: str = "shop") -> Manifest:
    return Manifest({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}, Origin(path))


OBJECTS = (
    made("ConfigMap", "settings-d54f89gf97", "apps/kustomization.yaml"),
    made("Secret", "web-token"),
    made("ServiceAccount", "frontend"),
    made("PriorityClass", "important", namespace=""),
    made("Deployment", "web"),
    Manifest({**GIT, "metadata": {"name": "charts", "namespace": "shop"}}),
    made("Kustomization", "infrastructure"),
)
GRAPH = Rendered(Graph("local", ".", "cluster", (Node(parse_kustomization(APPS), NodeState.BUILT, manifests=OBJECTS),)))
RESTRICTED = (
    'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "web" must set '
    'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "web" must set '
    'securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true), '
    'seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
)
CONTEXT = (
    "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, runAsNonRoot: true, "
    "seccompProfile: {type: RuntimeDefault}}"
)


@pytest.mark.parametrize(
    ("identifier", "message", "hint"),
    [
        ("pod/config-missing", 'container web: configmap "setings" not found', "did you mean settings?"),
        ("pod/config-missing", 'container web: secret "web-tokn" not found', "did you mean web-token?"),
        ("pod/config-missing", 'container web: secret "nothing-like-it" not found', ""),
        (
            "workload/not-created",
            'error looking up service account shop/fronten: serviceaccount "fronten" not found',
            "did you mean frontend?",
        ),
        ("workload/not-created", 'pods "x" is forbidden: no PriorityClass with name importand was found', "did you mean important?"),
        (
            "kustomization/dependency-missing",
            "dependency 'shop/infrastructur' not found: kustomizations.kustomize.toolkit.fluxcd.io \"infrastructur\" not found",
            "did you mean infrastructure?",
        ),
        ("kustomization/source-missing", 'GitRepository.source.toolkit.fluxcd.io "chart" not found', "did you mean charts?"),
        ("kustomization/health-check-missing", "it waits for an object that does not exist", "did you mean web?"),
        ("pod/out-of-memory", "container web ran out of memory (limit 64Mi, exit code 137)", "raise the limit, for example memory: 128Mi"),
        ("pod/out-of-memory", "container web ran out of memory (limit that of the node, exit code 137)", "set resources.limits.memory"),
        ("workload/pod-security", RESTRICTED, CONTEXT),
        (
            "workload/pod-security",
            'violates PodSecurity "baseline:latest": privileged (container "web" must not set securityContext.privileged=true)',
            "remove securityContext.privileged",
        ),
        ("apply/namespace-missing", 'namespaces "shop" not found', "add the Namespace shop to the repository"),
        ("pod/crash", "container web exited with code 2", ""),
    ],
)
def test_a_hint(identifier: str, message: str, hint: str) -> None:
    cause = Cause(identifier, ObjectRef("Deployment", "shop", "webb"), message[:240], said=message)
    assert hint_of(cause, GRAPH) == hint


def test_the_hint_that_a_cause_has_stays() -> None:
    cause = Cause("pod/out-of-memory", ObjectRef("Deployment", "shop", "web"), "ran out of memory", hint="see it")
    assert hint_of(cause, GRAPH) == "see it"


def test_the_hint_of_a_build_that_fails_here_as_well() -> None:
    failure = Failure(FailureKind.UNDEFINED, "undefined", "did you mean environment?")
    node = Node(parse_kustomization(APPS), NodeState.FAILED, failure=failure)
    cause = Cause(
        "kustomization/substitution", ObjectRef("Kustomization", "flux-system", "apps"), "no", "flux-system/apps", hint="validate"
    )
    assert hint_of(cause, Rendered(Graph("local", ".", "cluster", (node,)))) == "did you mean environment?"
