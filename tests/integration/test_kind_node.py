"""The node image with plain Kind, as docs/images.md promises."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devloop.clients.engine import connect
from devloop.images import Images
from devloop.toolchain import Toolchain

TOOLCHAIN = Toolchain()

POD = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  restartPolicy: OnFailure
  containers:
    - name: writer
      image: SAMPLE
      command: [/usr/bin/python3, -S, -c, "open('/data/x', 'w').write('kept'); print(open('/data/x').read())"]
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


@dataclass(frozen=True)
class Cluster:
    name: str
    folder: Path
    images: Images

    @property
    def node(self) -> str:
        return f"{self.name}-control-plane"

    def run(self, program: str, *arguments: str, stdin: str = "") -> str:
        command = program if program == "docker" else str(TOOLCHAIN.path(program))
        env = os.environ | {"KUBECONFIG": str(self.folder / "kubeconfig")}
        done = subprocess.run([command, *arguments], env=env, input=stdin, text=True, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return self.run("kubectl", *arguments, stdin=stdin)

    def create(self, configuration: dict[str, Any]) -> None:
        content = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", **configuration}
        options = ("--name", self.name, "--image", self.images.reference("node"), "--config", "-")
        self.run("kind", "create", "cluster", *options, stdin=json.dumps(content))

    def inside(self, *command: str) -> str:
        return self.run("docker", "exec", self.node, *command)


@pytest.fixture(scope="module")
def images() -> Iterator[Images]:
    TOOLCHAIN.ensure(["kind", "kubectl"], lambda event: None)
    with closing(connect()) as engine:
        images = Images(TOOLCHAIN, engine)
        images.ensure(["node", "sample"], lambda event: None)
        yield images


def created(images: Images, folder: Path, configuration: dict[str, Any]) -> Iterator[Cluster]:
    cluster = Cluster(f"test-{uuid.uuid4().hex[:8]}", folder, images)
    try:
        cluster.create(configuration)
        yield cluster
    finally:
        cluster.run("kind", "delete", "cluster", "--name", cluster.name)


@pytest.fixture(scope="module")
def cluster(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    yield from created(images, tmp_path_factory.mktemp("node"), {})


def test_a_plain_cluster_becomes_ready_and_resolves_names(cluster: Cluster) -> None:
    cluster.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=120s")
    cluster.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s")
    assert cluster.inside("systemctl", "--failed", "--quiet") == ""


def test_a_non_root_pod_gets_a_volume(cluster: Cluster) -> None:
    reference = cluster.images.reference("sample")
    cluster.run("kind", "load", "docker-image", reference, "--name", cluster.name)
    cluster.kubectl("apply", "-f", "-", stdin=POD.replace("SAMPLE", reference))
    cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/writer", "--timeout=120s")
    assert cluster.kubectl("logs", "writer") == "kept\n"
    assert cluster.inside("bash", "-c", "cat /var/lib/volumes/*/x") == "kept"


@pytest.mark.nightly
def test_a_killed_node_restarts_with_another_address(cluster: Cluster) -> None:
    """Its certificates and manifests contain the new address."""
    before = address(cluster, cluster.node)
    cluster.run("docker", "kill", cluster.node)
    squatters: list[str] = []
    try:
        while not squatters or address(cluster, squatters[-1]) != before:
            assert len(squatters) < 20, f"nobody gets {before}"
            squatters.append(cluster.run("docker", "run", "-d", "--network", "kind", cluster.images.reference("sample"), "serve").strip())
        cluster.run("docker", "start", cluster.node)
        assert address(cluster, cluster.node) != before
        answers = "for i in {1..300}; do kubectl get --raw /readyz 2>/dev/null && exit; sleep 0.2; done; exit 1"
        assert cluster.inside("bash", "-c", answers) == "ok"
        cluster.kubectl("delete", "pod", "writer", "--wait=true", "--ignore-not-found")
        cluster.kubectl("apply", "-f", "-", stdin=POD.replace("SAMPLE", cluster.images.reference("sample")))
        cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/writer", "--timeout=120s")
        assert cluster.kubectl("logs", "writer") == "kept\n"
    finally:
        cluster.run("docker", "rm", "--force", "--volumes", *squatters)


def address(cluster: Cluster, container: str) -> str:
    return cluster.run("docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container).strip()


@pytest.mark.nightly
def test_a_cluster_with_its_own_network_gets_none(images: Images, tmp_path: Path) -> None:
    for cluster in created(images, tmp_path, {"networking": {"disableDefaultCNI": True}}):
        said = cluster.inside("bash", "-c", "for i in {1..100}; do journalctl -u node-network | grep 'not asked' && exit; sleep 0.2; done")
        assert "not asked to be this cluster's network" in said
        assert cluster.inside("bash", "-c", "ls /etc/cni/net.d") == ""
        condition = "jsonpath={.items[0].status.conditions[?(@.type=='Ready')].status}"
        assert cluster.kubectl("get", "nodes", "-o", condition) == "False"
