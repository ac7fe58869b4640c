"""Objects of any shape never make a rule fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from devloop.lint.rules import constitution, graph, layers, secrets, substitution
from devloop.lint.rules.rule import Rules
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.model.flux.graph import Graph, Node, NodeState
from devloop.model.flux.kustomization import parse_kustomization
from devloop.model.kubernetes.manifest import Manifest, Origin
from devloop.model.lint.context import EnvironmentGraph, LintContext
from devloop.model.lint.file_index import FileIndex, Variable

FAMILIES = (constitution, graph, layers, secrets, substitution)
ODD = (None, "", 0, True, "text", [], ["text"], [None], {}, {"a": 1}, [{"a": [1]}])

POD = {"serviceAccountName": "web", "containers": [{"name": "web", "image": "web:1", "command": ["sh"], "args": ["-c", "kubectl apply"]}]}
OBJECTS: tuple[dict[str, Any], ...] = (
    {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": POD}}},
    {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}}},
    {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"a": "aHVudGVyMg=="}, "stringData": {"b": "hunter2"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "data": {"run.sh": "#!/bin/sh"}, "binaryData": {"tool": "f0VM"}},
    {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {"group": "platform.example", "names": {"kind": "Backup"}, "scope": "Namespaced"},
    },
    {"apiVersion": "platform.example/v1", "kind": "Backup", "spec": {"target": {"name": "login"}}},
    {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "spec": {"suspend": True, "targetNamespace": "a", "install": {"createNamespace": True}, "chart": {"spec": {"chart": "grafana"}}},
    },
)
SPEC = {
    "path": "./apps",
    "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
    "interval": "10m",
    "timeout": "5m",
    "prune": False,
    "wait": False,
    "serviceAccountName": "applier",
    "targetNamespace": "default",
    "healthChecks": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "namespace": "default"}],
    "decryption": {"provider": "sops", "secretRef": {"name": "keys"}},
    "postBuild": {"substitute": {"a": "b"}, "substituteFrom": [{"kind": "ConfigMap", "name": "odd", "optional": False}]},
}
# Building the graph rejects other values of these, so that no rule sees them.
CHECKED = {("spec", "path"), ("spec", "sourceRef"), ("spec", "postBuild"), ("spec", "postBuild", "substituteFrom"), ("spec", "decryption")}


def mutations(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every field of a value with every odd replacement."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        for odd in ODD:
            yield (*path, key), odd
        yield from mutations(item, (*path, key))


def mutated(body: dict[str, Any], path: tuple[str | int, ...], odd: Any) -> dict[str, Any]:
    result = deepcopy(body)
    target: Any = result
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = odd
    return result


def lint_context(manifests: list[Manifest], spec: Mapping[str, Any] = SPEC) -> LintContext:
    """Two environments, for rules that compare environments."""
    body = {"metadata": {"name": "apps", "namespace": "flux-system"}, "spec": spec}
    node = Node(
        parse_kustomization(body), NodeState.BUILT, manifests=tuple(manifests), files=("apps/a.yaml",), encrypted=("apps/b.enc.yaml",)
    )
    files = FileIndex(paths=("apps/a.yaml",), variables={"apps/a.yaml": (Variable("a", 1, default=True),)})
    environments = [
        EnvironmentGraph(Environment(name, Path("/"), ClusterDefinition(name, "G3", "ksail.yaml")), Graph(name, ".", "cluster", nodes))
        for name, nodes in (
            ("dev", (node,)),
            ("prod", (node, Node(parse_kustomization(body | {"metadata": {"name": "b"}}), NodeState.BUILT))),
        )
    ]
    return LintContext(tuple(environments), files)


def check(rules: Rules, context: LintContext) -> None:
    for rule in rules.values():
        for diagnostic in rule.check(context):
            assert diagnostic.message


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__.rpartition(".")[2])
def test_no_shape_of_an_object_stops_a_rule(family: Any) -> None:
    for body in OBJECTS:
        named = body | {"metadata": {"name": "odd", "namespace": "default", "labels": {"a": "b"}, "annotations": {"a": "b"}}}
        odd = [mutated(named, *where) for where in mutations(named) if where[0] not in (("metadata",), ("apiVersion",), ("kind",))]
        check(family.RULES, lint_context([Manifest(each, Origin("apps/a.yaml")) for each in odd]))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__.rpartition(".")[2])
def test_no_shape_of_a_kustomization_stops_a_rule(family: Any) -> None:
    for path, odd in mutations({"spec": SPEC}):
        if path not in CHECKED and path != ("spec",) and "substituteFrom" not in path[:-1]:
            check(family.RULES, lint_context([], mutated({"spec": SPEC}, path, odd)["spec"]))
