"""A real Kind cluster: nodes, Git server and Flux as containers, without leaked secrets. Requires a container engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from pytest_kind import KindCluster

from devloop.provisioners import PROVISIONERS
from devloop.toolchain import Toolchain

from .conftest import User, clean_up
from .looking import secrets_of


def cluster_of(user: User) -> KindCluster:
    """The cluster through pytest-kind, with the pinned programs, so that nothing is downloaded."""
    tools = Toolchain()
    cluster = KindCluster(user.cluster, user.home / "kubeconfig", kind_path=tools.path("kind"), kubectl_path=tools.path("kubectl"))
    cluster.create()
    return cluster


def test_every_pod_of_the_sample_runs(on_kind: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    pods = json.loads(cluster_of(on_kind).kubectl("get", "pods", "-A", "-o", "json"))["items"]
    phases = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod["status"]["phase"] for pod in pods}
    assert len(phases) >= 8
    assert set(phases.values()) <= {"Running", "Succeeded"}, phases
    assert all(status["containerID"].startswith("containerd://") for pod in pods for status in pod["status"]["containerStatuses"])


def test_the_context_has_kinds_name(on_kind: User) -> None:
    assert f"kind-{on_kind.cluster}" in on_kind.kubectl("config", "get-contexts", "-o", "name").split()


def test_the_git_server_is_a_container_with_labels_on_loopback_only(on_kind: User) -> None:
    container = on_kind.engine.containers.get(f"devloop-{on_kind.cluster}-git")
    assert container.labels["devloop.dev/environment"] == on_kind.cluster
    assert [b["HostIp"] for bindings in container.ports.values() for b in bindings] == ["127.0.0.1"]
    assert not container.attrs["HostConfig"]["Privileged"]
    assert container.attrs["Config"]["User"] not in ("", "0", "root")


def test_the_api_server_listens_on_loopback_only(on_kind: User) -> None:
    node = on_kind.engine.containers.get(f"{on_kind.cluster}-control-plane")
    assert {b["HostIp"] for bindings in node.ports.values() if bindings for b in bindings} == {"127.0.0.1"}


def test_no_secret_is_in_images_labels_command_lines_logs_or_docker_inspect(on_kind: User) -> None:
    secrets = secrets_of(on_kind)
    assert len(secrets) >= 4
    lines: list[str] = []
    with watched_command_lines(lines):
        shown = on_kind.devloop("-C", "demo", "up", "local").text + on_kind.devloop("-C", "demo", "up", "local", "--output", "json").text
    client = on_kind.engine
    containers = client.containers.list(all=True, filters={"network": "kind"})
    texts = [json.dumps(container.attrs) for container in containers] + [
        container.logs().decode(errors="replace") for container in containers
    ]
    texts += [json.dumps([image.attrs, image.history()]) for image in client.images.list()]
    texts += [json.dumps(volume.attrs) for volume in client.volumes.list()]
    texts += [path.read_text(errors="replace") for path in (on_kind.home / "state").rglob("*.log")]
    texts += [on_kind.kubectl("logs", "-n", "flux-system", f"deployment/{name}") for name in ("source-controller", "kustomize-controller")]
    assert len(lines) > 10
    for secret in secrets:
        assert not any(secret in text for text in (shown, *texts, *lines))


@contextmanager
def watched_command_lines(lines: list[str]) -> Iterator[None]:
    """Every command line seen on this machine during the block."""
    done = threading.Event()

    def watch() -> None:
        seen = set()
        while not done.wait(0.01):
            for process in psutil.process_iter():
                try:
                    seen.add(" ".join(process.cmdline()))
                except psutil.Error:
                    continue
        lines.extend(seen)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_all_provisioners_give_the_same_kustomizations_revisions_and_objects(tmp_path: Path) -> None:
    kind_user = User(tmp_path, "kind")
    kind_user.init()
    seen = {}
    try:
        for provisioner in PROVISIONERS:
            user = User(tmp_path, provisioner)
            up = user.devloop("-C", "demo", "up", "local", "--output", "json")
            assert up.status == 0, up.text
            items = json.loads(user.kubectl("get", "kustomizations", "-A", "-o", "json"))["items"]
            seen[provisioner] = (
                up.report["revision"],
                sorted((k["namespace"], k["name"], k["ready"], k["revision"]) for k in up.report["kustomizations"]),
                {i["metadata"]["name"]: sorted(entry["id"] for entry in i["status"]["inventory"]["entries"]) for i in items},
            )
            assert user.devloop("-C", "demo", "down", "local").status == 0
    finally:
        clean_up(kind_user)
    assert all(found == seen["kind"] for found in seen.values())
