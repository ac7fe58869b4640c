"""The real tools in the user's cache: installed if missing, which takes minutes."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from devloop.toolchain import Toolchain
from devloop.toolchain.lock import load_lock

pytestmark = pytest.mark.integration

PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "sops", "worker")
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    """With several test processes, one builds and the others wait."""
    toolchain = Toolchain()
    toolchain.ensure((*PLANE, *CONTROLLERS), lambda event: None)
    return toolchain


@pytest.mark.parametrize("name", [name for name in PLANE if load_lock()[name].ask])
def test_prints_the_pinned_version(toolchain: Toolchain, name: str) -> None:
    tool = load_lock()[name]
    done = subprocess.run([toolchain.path(name), *tool.ask], capture_output=True, text=True, check=True)
    match = re.search(tool.answer, done.stdout + done.stderr, re.MULTILINE)
    assert match
    assert match[1] == tool.version


@pytest.mark.parametrize("name", ["worker", *CONTROLLERS])
def test_is_a_program(toolchain: Toolchain, name: str) -> None:
    assert os.access(toolchain.path(name), os.X_OK)


def test_nothing_is_installed_twice(toolchain: Toolchain) -> None:
    assert toolchain.missing((*PLANE, *CONTROLLERS)) == ()
    events: list[object] = []
    assert not toolchain.ensure((*PLANE, *CONTROLLERS), events.append)
    assert events == []


@pytest.mark.parametrize(
    ("controller", "kinds"),
    [
        ("source-controller", {"Bucket", "ExternalArtifact", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository"}),
        ("kustomize-controller", {"Kustomization"}),
        ("helm-controller", {"HelmRelease"}),
    ],
)
def test_crds_come_from_the_controllers_module(toolchain: Toolchain, controller: str, kinds: set[str]) -> None:
    crds = toolchain.crds(controller)
    assert {crd["kind"] for crd in crds} == {"CustomResourceDefinition"}
    assert {crd["spec"]["names"]["kind"] for crd in crds} == kinds


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_rbac_comes_from_the_controllers_module(toolchain: Toolchain, controller: str) -> None:
    objects = toolchain.rbac(controller)
    kinds = {each["kind"] for each in objects}
    assert "ClusterRole" in kinds
    assert kinds & {"ClusterRoleBinding", "RoleBinding"}
    assert all(each["apiVersion"] == "rbac.authorization.k8s.io/v1" for each in objects)
