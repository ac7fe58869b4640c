"""`devloop validate` evaluates ValidatingAdmissionPolicies like a real API server: every object against every policy."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devloop.clients.kube import ApiError, Kube
from devloop.clients.worker import Worker
from devloop.lint.run import validate
from devloop.lint.scope import LintScope
from devloop.model.cluster.definition import ClusterDefinition
from devloop.model.cluster.environment import Environment
from devloop.provisioners.embedded import EmbeddedProvisioner
from devloop.toolchain import Toolchain

CASES = Path(__file__).parent / "policies"
PLURALS = {
    "Deployment": "apis/apps/v1/{}deployments",
    "CronJob": "apis/batch/v1/{}cronjobs",
    "Ingress": "apis/networking.k8s.io/v1/{}ingresses",
}


def documents(name: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all((CASES / name).read_text()) if document]


def path(obj: dict[str, Any]) -> str:
    """The URL for creating objects of its kind."""
    namespace = obj["metadata"].get("namespace")
    below = f"namespaces/{namespace}/" if namespace else ""
    return "/" + PLURALS.get(obj["kind"], f"api/v1/{{}}{obj['kind'].lower()}s").format(below)


def asked(obj: dict[str, Any], policy: str) -> dict[str, Any]:
    """A copy of the object that only this policy matches."""
    metadata = obj["metadata"]
    labels = {**metadata.get("labels", {}), "asks": policy}
    return {**obj, "metadata": {**metadata, "name": f"{metadata['name']}-{policy}", "labels": labels}}


def bound(policy: dict[str, Any]) -> dict[str, Any]:
    """The binding of a policy to the objects that select it."""
    spec = dict(policy.pop("binding", {}))
    resources = {**spec.pop("matchResources", {}), "objectSelector": {"matchLabels": {"asks": policy["metadata"]["name"]}}}
    said = {"policyName": policy["metadata"]["name"], "validationActions": ["Deny"], "matchResources": resources, **spec}
    kind = {"apiVersion": policy["apiVersion"], "kind": "ValidatingAdmissionPolicyBinding"}
    return {**kind, "metadata": {"name": policy["metadata"]["name"]}, "spec": said}


@pytest.fixture(scope="module")
def world() -> dict[str, list[dict[str, Any]]]:
    policies = documents("policies.yaml")
    bindings = [bound(policy) for policy in policies]
    objects = [asked(obj, policy["metadata"]["name"]) for obj in documents("objects.yaml") for policy in policies]
    return {"surroundings": documents("surroundings.yaml"), "policies": policies, "bindings": bindings, "objects": objects}


@pytest.fixture(scope="module")
def refused(
    world: dict[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain
) -> Iterator[dict[str, str]]:
    """The API server's message for each object it denies."""
    home = tmp_path_factory.mktemp("policies")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(home / "state"))
    patch.setenv("KUBECONFIG", str(home / "kubeconfig"))
    provisioner = EmbeddedProvisioner(Environment("policies", home, ClusterDefinition("policies", "G3", "")), toolchain, threading.Event())
    try:
        provisioner.ensure_cluster(lambda _: None)
        kube = Kube(provisioner.kubeconfig())
        for obj in world["surroundings"]:  # one after the other: namespaces come first
            kube.apply(obj)
        for name, plural in {"policies": "validatingadmissionpolicies", "bindings": "validatingadmissionpolicybindings"}.items():
            for obj in world[name]:
                kube.request("POST", f"/apis/admissionregistration.k8s.io/v1/{plural}", obj)
        canary = next(obj for obj in world["objects"] if obj["metadata"]["name"] == "canary-nothing")
        deadline = time.monotonic() + 60
        while not answer(kube, canary) and time.monotonic() < deadline:
            time.sleep(0.2)
        yield {obj["metadata"]["name"]: said for obj in world["objects"] if (said := answer(kube, obj))}
    finally:
        provisioner.delete(lambda _: None)
        patch.undo()


def answer(kube: Kube, obj: dict[str, Any]) -> str:
    """The server's message if it denies the object, else '' (dry run)."""
    try:
        kube.request("POST", path(obj), obj, query={"dryRun": "All"})
    except ApiError as error:
        assert "ValidatingAdmissionPolicy" in error.message, f"{obj['metadata']['name']}: {error.message}"
        return error.message
    return ""


def test_validate_reports_exactly_what_the_server_denies(
    world: dict[str, list[dict[str, Any]]], refused: dict[str, str], tmp_path: Path, toolchain: Toolchain
) -> None:
    (tmp_path / "cluster").mkdir()
    for name, objects in world.items():
        (tmp_path / "cluster" / f"{name}.yaml").write_text(yaml.safe_dump_all(objects))
    environment = Environment("local", tmp_path, ClusterDefinition("local", "G3", "", source_directory=".", entry_path="cluster"))
    with Worker(toolchain.path("worker"), tmp_path) as worker:
        findings = validate(LintScope(tmp_path, (environment,)), worker).findings
    said = {f.object.rpartition("/")[2]: f.message.split(": ", 1)[1] for f in findings if f.rule == "policy/violated"}
    assert [f.message for f in findings if f.rule in ("policy/skipped", "policy/invalid")] == []
    assert sorted(said) == sorted(refused)
    assert len(said) > len(world["policies"])
    for name, message in said.items():
        assert message.startswith("an expression fails") or message in refused[name]
