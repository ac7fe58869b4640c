"""Networks on Kind: several nodes, and a CNI that the repository installs."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from devloop.toolchain import Toolchain

from .conftest import User, remains
from .looking import spoken

THREE_NODES = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: reach}}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: localhost/devloop/sample:0.1.0
      args: [serve]
"""


@pytest.mark.nightly
def test_pods_on_different_workers_reach_each_other(kind_user: User) -> None:
    repository = kind_user.init()
    kind_yaml = repository / "clusters/local/kind.yaml"
    kind_yaml.write_text(kind_yaml.read_text() + "  - role: worker\n  - role: worker\n")
    ksail = repository / "clusters/local/ksail.yaml"
    ksail.write_text(ksail.read_text().replace("workers: 0", "workers: 2"))
    up = kind_user.devloop("-C", "demo", "up", "local")
    assert up.status == 0, up.text
    nodes = [f"{kind_user.cluster}-worker", f"{kind_user.cluster}-worker2"]
    for name, node in zip(("one", "two"), nodes, strict=True):
        apply(kind_user, THREE_NODES.format(name=name, node=node))
    kind_user.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=reach", "--timeout=60s")
    pods: list[dict[str, Any]] = json.loads(kind_user.kubectl("get", "pods", "-l", "app=reach", "-o", "json"))["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == set(nodes)
    address = next(pod["status"]["podIP"] for pod in pods if pod["metadata"]["name"] == "two")
    script = f"import urllib.request; print(urllib.request.urlopen('http://{address}:8080/healthz', timeout=5).status)"
    assert kind_user.kubectl("exec", "one", "--", "python3", "-c", script).strip() == "200"
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


CNI = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: cni, namespace: kube-system, labels: {app.kubernetes.io/name: cni, app.kubernetes.io/part-of: sample-platform}}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: cni}}
  template:
    metadata: {labels: {app.kubernetes.io/name: cni, app.kubernetes.io/part-of: sample-platform}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      containers:
        - name: cni
          image: localhost/devloop/sample:0.1.0
          command: [python3, -c]
          args:
            - |
              import json, pathlib, signal
              addresses = {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}
              conf = {"cniVersion": "0.4.0", "name": "own", "plugins": [{"type": "ptp", "ipam": addresses}]}
              pathlib.Path("/etc/cni/net.d/10-own.conflist").write_text(json.dumps(conf))
              signal.pause()
          securityContext: {runAsUser: 0, runAsNonRoot: false}
          resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 100m, memory: 64Mi}}
          volumeMounts: [{name: config, mountPath: /etc/cni/net.d}]
      volumes: [{name: config, hostPath: {path: /etc/cni/net.d, type: DirectoryOrCreate}}]
"""


@pytest.mark.nightly
def test_a_repository_can_install_the_cni(kind_user: User) -> None:
    repository = kind_user.init()
    definition, folder = repository / "clusters/local", repository / "k8s/clusters/local/infrastructure-controllers"
    ksail, kind_yaml = definition / "ksail.yaml", definition / "kind.yaml"
    ksail.write_text(ksail.read_text().replace("cni: Default", "cni: Cilium"))
    kind_yaml.write_text(kind_yaml.read_text().replace("networking:\n", "networking:\n  disableDefaultCNI: true\n"))
    (folder / "cni.yaml").write_text(CNI)
    kustomization = folder / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("resources:\n", "resources:\n  - cni.yaml\n"))
    up = kind_user.devloop("-C", "demo", "up", "local")
    assert up.status == 0, up.text
    assert "nodes become ready once the repository has installed Cilium" in spoken(up)
    assert (
        "10-own.conflist"
        in kind_user.engine.containers.get(f"{kind_user.cluster}-control-plane").exec_run(["ls", "/etc/cni/net.d"]).output.decode()
    )
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


def apply(user: User, manifest: str) -> None:
    argv = [str(Toolchain().path("kubectl")), "apply", "-f", "-"]
    subprocess.run(argv, env=user.env, input=manifest, text=True, check=True, capture_output=True, timeout=60)
