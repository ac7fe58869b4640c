"""Writes a repository of any size: an entry path, groups of Kustomizations, and twenty objects in each of those.

Each application has what real ones have: a shared base and a component, a generator, a patch, variables from the cluster's ConfigMap, a
dependency. Nothing is random: the same size gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OBJECTS = 20  # per application
_GROUP = 50  # Kustomizations per parent
_MEMBERS = 19  # of a group with relations
_OWN = 12  # objects in the application's own files; the others come from the base and a generator

Object = Mapping[str, Any]


def generate(root: Path, kustomizations: int) -> None:
    """About `kustomizations` Kustomizations: one per application, and one per group of applications."""
    groups = max(1, round(kustomizations / (_GROUP + 1)))
    applications = kustomizations - groups
    for number in range(groups):
        _write(root, f"clusters/bench/group-{number}.yaml", _flux(f"group-{number}", f"./groups/{number}"))
    _write(root, "clusters/bench/flux-system/gotk-sync.yaml", _flux("flux-system", "./clusters/bench"))
    _write(root, "clusters/bench/settings.yaml", _config_map("settings", "flux-system", region="north", domain="example.com"))
    _write(
        root,
        "clusters/bench/namespaces.yaml",
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"group-{n}"}} for n in range(groups)),
    )
    for path, content in _BASE.items():
        _write(root, path, content)
    for number in range(applications):
        _application(root, number, number % groups, depends_on=number - groups if number >= groups else None)


def generate_relations(root: Path, kustomizations: int) -> None:
    """Groups of Kustomizations with custom resources that nothing defines.

    A group follows the one before, a member its neighbour (chains) and the three groups before its own (fans), which meet again (diamonds).
    """
    _write(root, "clusters/bench/flux-system/gotk-sync.yaml", _flux("flux-system", "./clusters/bench"))
    for group in range(max(1, kustomizations // (_MEMBERS + 1))):
        before = [{"name": f"group-{group - 1}"}] if group else []
        _write(root, f"clusters/bench/group-{group}.yaml", _flux(f"group-{group}", f"./groups/{group}", dependsOn=before))
        for member in range(_MEMBERS):
            name = f"app-{group}-{member}"
            depends = [f"group-{each}" for each in range(max(0, group - 3), group)] + ([f"app-{group}-{member - 1}"] if member else [])
            body = _flux(name, f"./apps/{name}", dependsOn=[{"name": each} for each in depends])
            _write(root, f"groups/{group}/{name}.yaml", body)
            secret = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": name, "namespace": "default"}}
            _write(root, f"apps/{name}/objects.yaml", {**secret, "spec": {"refreshInterval": "1h"}}, _config_map(name, "default", a="b"))


def _application(root: Path, number: int, group: int, *, depends_on: int | None) -> None:
    name, folder = f"app-{number}", f"apps/app-{number}"
    depends = {"dependsOn": [{"name": f"app-{depends_on}"}]} if depends_on is not None else {}
    variables = {"substitute": {"APP": name}, "substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}
    body = _flux(name, f"./{folder}", targetNamespace=f"group-{group}", wait=True, postBuild=variables, **depends)
    _write(root, f"groups/{group}/{name}.yaml", body)
    own = [f"part-{part}.yaml" for part in range(_OWN)]
    _write(root, f"{folder}/kustomization.yaml", _kustomization(name, own))
    for part, path in enumerate(own):
        data = {"application": "${APP}", "region": "${region}", "host": f"part-{part}.${{domain}}", "text": f"part {part} of {name}"}
        _write(root, f"{folder}/{path}", _config_map(f"{name}-part-{part}", "", **data))


def _kustomization(name: str, own: list[str]) -> Object:
    patch = [{"op": "add", "path": "/metadata/labels", "value": {"app.kubernetes.io/name": name}}]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../bases/web", *own],
        "components": ["../../components/probes"],
        "configMapGenerator": [{"name": f"{name}-generated", "literals": [f"application={name}"]}],
        "patches": [{"target": {"kind": "Deployment"}, "patch": json.dumps(patch)}],
    }


def _flux(name: str, path: str, **spec: Any) -> Object:
    source = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "flux-system"},
        "spec": {"path": path, "sourceRef": source, "interval": "10m", "timeout": "5m", "prune": True, **spec},
    }


def _config_map(name: str, namespace: str, **data: str) -> Object:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _deployment(name: str) -> Object:
    labels = {"app": name}
    resources = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "32Mi"}}
    container = {"name": "main", "image": f"registry.example.com/{name}:1.2.3", "ports": [{"containerPort": 8080}], "resources": resources}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{name}-${{APP}}"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def _service(name: str) -> Object:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{name}-${{APP}}"},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def _base() -> Iterator[tuple[str, Object]]:
    names = ("web", "worker", "cache")
    files = {
        f"{kind}-{name}.yaml": made for name in names for kind, made in (("deployment", _deployment(name)), ("service", _service(name)))
    }
    files["service-account.yaml"] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "${APP}"}}
    yield "bases/web/kustomization.yaml", {"resources": [*files]}
    for path, content in files.items():
        yield f"bases/web/{path}", content
    probe = {"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe", "value": {"httpGet": {"path": "/", "port": 8080}}}
    patches = [{"target": {"kind": "Deployment"}, "patch": json.dumps([probe])}]
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "patches": patches}
    yield "components/probes/kustomization.yaml", component


_BASE = dict(_base())


def _write(root: Path, path: str, *contents: Object) -> None:
    import yaml

    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump_all(contents, sort_keys=False))
