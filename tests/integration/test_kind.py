"""Kind for real: nodes, Git server and Flux as containers; several nodes, another CNI, what can go wrong. Needs a container engine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytest_kind import KindCluster

from devloop.toolchain import Toolchain

from .conftest import Run, User, clean_up, remains
from .test_loop import _secrets


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """The sample, up; tests that share it leave it so that the next `up` heals it."""
    user = User(tmp_path_factory.mktemp("kind"), "kind")
    user.init()
    up = user.devloop("-C", "demo", "up", "local")
    assert up.status == 0, up.text
    yield user
    down = user.devloop("-C", "demo", "down", "local")
    left = remains(user)
    clean_up(user)
    assert (down.status, left) == (0, []), down.text


@pytest.fixture
def kind_user(tmp_path: Path) -> Iterator[User]:
    user = User(tmp_path, "kind")
    yield user
    clean_up(user)


def heals(user: User) -> None:
    healed = user.devloop("-C", "demo", "up", "local")
    assert healed.status == 0, healed.text


def cluster_of(user: User) -> KindCluster:
    """The cluster through pytest-kind, with the pinned programs, so that nothing is downloaded."""
    tools = Toolchain()
    cluster = KindCluster(user.cluster, user.home / "kubeconfig", kind_path=tools.path("kind"), kubectl_path=tools.path("kubectl"))
    cluster.create()
    return cluster


def test_every_pod_of_the_sample_really_runs(demo: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    pods = json.loads(cluster_of(demo).kubectl("get", "pods", "-A", "-o", "json"))["items"]
    phases = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod["status"]["phase"] for pod in pods}
    assert len(phases) >= 8
    assert set(phases.values()) <= {"Running", "Succeeded"}, phases
    assert all(status["containerID"].startswith("containerd://") for pod in pods for status in pod["status"]["containerStatuses"])


def test_the_context_is_the_one_of_kind(demo: User) -> None:
    assert f"kind-{demo.cluster}" in demo.kubectl("config", "get-contexts", "-o", "name").split()


def test_the_git_server_is_a_container_with_labels_on_loopback_only(demo: User) -> None:
    container = demo.engine.containers.get(f"devloop-{demo.cluster}-git")
    assert container.labels["devloop.dev/environment"] == demo.cluster
    assert [b["HostIp"] for bindings in container.ports.values() for b in bindings] == ["127.0.0.1"]
    assert not container.attrs["HostConfig"]["Privileged"]
    assert container.attrs["Config"]["User"] not in ("", "0", "root")


def test_the_api_server_listens_on_loopback_only(demo: User) -> None:
    node = demo.engine.containers.get(f"{demo.cluster}-control-plane")
    assert {b["HostIp"] for bindings in node.ports.values() if bindings for b in bindings} == {"127.0.0.1"}


def test_no_secret_is_in_an_image_a_label_a_command_line_a_log_or_what_docker_tells(demo: User) -> None:
    secrets = _secrets(demo)
    assert len(secrets) >= 4
    lines: list[str] = []
    with watched_command_lines(lines):
        shown = demo.devloop("-C", "demo", "up", "local").text + demo.devloop("-C", "demo", "up", "local", "--output", "json").text
    client = demo.engine
    containers = client.containers.list(all=True, filters={"network": "kind"})
    told = [json.dumps(container.attrs) for container in containers] + [
        container.logs().decode(errors="replace") for container in containers
    ]
    told += [json.dumps([image.attrs, image.history()]) for image in client.images.list()]
    told += [json.dumps(volume.attrs) for volume in client.volumes.list()]
    told += [path.read_text(errors="replace") for path in (demo.home / "state").rglob("*.log")]
    told += [demo.kubectl("logs", "-n", "flux-system", f"deployment/{name}") for name in ("source-controller", "kustomize-controller")]
    assert len(lines) > 10
    for secret in secrets:
        assert not any(secret in text for text in (shown, *told, *lines))


@contextmanager
def watched_command_lines(lines: list[str]) -> Iterator[None]:
    """Every command line that is seen on this machine meanwhile."""
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


def test_a_node_that_was_killed_comes_back(demo: User) -> None:
    demo.engine.containers.get(f"{demo.cluster}-control-plane").kill()
    heals(demo)


def test_a_git_server_that_was_killed_or_lost_its_volume_comes_back(demo: User) -> None:
    client, name = demo.engine, f"devloop-{demo.cluster}-git"
    client.containers.get(name).kill()
    heals(demo)
    client.containers.get(name).remove(force=True)
    client.volumes.get(name).remove()
    heals(demo)
    assert client.volumes.get(name).attrs["Labels"]["devloop.dev/environment"] == demo.cluster


def test_a_definition_that_changed_is_told_and_recreate_follows_it(demo: User) -> None:
    kind_yaml = demo.home / "demo/clusters/local/kind.yaml"
    before = kind_yaml.read_text()
    kind_yaml.write_text(before.replace("10.244.0.0/16", "10.99.0.0/16"))
    try:
        failed = demo.devloop("-C", "demo", "up", "local")
        assert failed.status == 1
        assert "networking.podSubnet: 10.244.0.0/16 -> 10.99.0.0/16" in spoken(failed)
        assert "--recreate" in failed.text
        again = demo.devloop("-C", "demo", "up", "local", "--recreate")
        assert again.status == 0, again.text
        assert "10.99." in demo.kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.podCIDR}")
    finally:
        kind_yaml.write_text(before)
    assert demo.devloop("-C", "demo", "up", "local", "--recreate").status == 0


def test_a_controller_that_keeps_ending_is_told_with_its_last_words(demo: User) -> None:
    node, port = f"{demo.cluster}-control-plane", 9792  # of kustomize-controller's probes on the node
    demo.kubectl("-n", "flux-system", "delete", "deployment", "kustomize-controller", "--wait")
    demo.kubectl("-n", "flux-system", "wait", "--for=delete", "pod", "-l", "app=kustomize-controller", "--timeout=60s")
    image = demo.engine.containers.get(f"devloop-{demo.cluster}-git").image
    holding = ["-c", f"import socket, time; held = socket.create_server(('', {port})); time.sleep(600)"]
    holder = demo.engine.containers.run(image, holding, entrypoint=["python3"], network_mode=f"container:{node}", detach=True)
    try:
        failed = demo.devloop("-C", "demo", "up", "local")
        assert failed.status == 1, failed.text
        assert "kustomize-controller keeps ending" in spoken(failed)
        assert "address already in use" in spoken(failed)
    finally:
        holder.remove(force=True)
    heals(demo)


def spoken(run: Run) -> str:
    """What was said, as one line."""
    return " ".join(run.text.split())


def test_a_full_disk_in_the_node_is_told(demo: User) -> None:
    node = demo.engine.containers.get(f"{demo.cluster}-control-plane")
    ingest = "/var/lib/containerd/io.containerd.content.v1.content/ingest"
    record = next((demo.home / "state").glob("devloop/kind@*/images.json"))
    record.unlink()
    assert node.exec_run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", ingest]).exit_code == 0
    try:
        failed = demo.devloop("-C", "demo", "up", "local")
        assert failed.status == 1, failed.text
        assert "no space left" in spoken(failed)
        assert "docker system" in spoken(failed)
    finally:
        node.exec_run(["umount", ingest])
    heals(demo)


def test_a_read_only_kubeconfig_is_told_and_nothing_is_lost(demo: User) -> None:
    kubeconfig = demo.home / "kubeconfig"
    before = kubeconfig.read_text()
    demo.kubectl("config", "delete-context", f"kind-{demo.cluster}")
    kubeconfig.chmod(0o400)
    try:
        failed = demo.devloop("-C", "demo", "up", "local")
        assert failed.status == 1
        assert "read-only" in failed.text
    finally:
        kubeconfig.chmod(0o600)
    heals(demo)
    assert f"kind-{demo.cluster}" in kubeconfig.read_text()
    assert before


def test_an_engine_that_goes_away_half_way_is_told(demo: User, tmp_path: Path) -> None:
    with relayed(tmp_path / "engine.sock") as cut:
        run = demo.start("-C", "demo", "up", "local", DOCKER_HOST=f"unix://{tmp_path}/engine.sock")
        assert run.stdout
        for line in run.stdout:
            if "snapshot" in line:
                break
        cut()
        rest, err = run.communicate(timeout=120)
    assert run.returncode == 1, rest + err
    assert "container engine" in rest + err
    heals(demo)


@contextmanager
def relayed(path: Path) -> Iterator[Callable[[], None]]:
    """The engine's socket at another place, until the result is called: then nobody answers there any more."""
    links: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(64)
        threading.Thread(target=accept, args=(door, links), daemon=True).start()

        def cut() -> None:
            path.unlink(missing_ok=True)
            for link in links:
                with suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)

        yield cut
        cut()


def accept(door: socket.socket, links: list[socket.socket]) -> None:
    with suppress(OSError):
        while True:
            here, there = door.accept()[0], socket.socket(socket.AF_UNIX)
            there.connect("/var/run/docker.sock")
            links += [here, there]
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=pump, args=(source, target), daemon=True).start()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(1 << 16):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


# -- without the shared cluster ---------------------------------------------------------------------------------------------------------


def test_without_an_engine_there_is_a_hint_and_nothing_is_made(kind_user: User, tmp_path: Path) -> None:
    kind_user.init()
    failed = kind_user.devloop("-C", "demo", "up", "local", DOCKER_HOST=f"unix://{tmp_path}/nothing.sock")
    assert failed.status == 1
    assert "no container engine answers" in failed.text
    assert "--provisioner embedded" in failed.text
    assert remains(kind_user) == []


def test_an_engine_that_this_user_may_not_use_is_told() -> None:
    if os.geteuid() != 0:
        pytest.skip("another user can only be taken by root")
    # Everything is imported before: another user may not read where Python is installed.
    code = """
import os, docker, docker.errors, docker.utils
from devloop.clients.engine import connect
from devloop.errors import DevloopError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    connect()
except DevloopError as error:
    print(error.message, error.hint)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "may not use the container engine's socket" in run.stdout
    assert "usermod" in run.stdout


def test_a_cluster_that_is_not_ours_is_left_alone(kind_user: User, tmp_path: Path) -> None:
    kind_user.init()
    tools, name = Toolchain(), kind_user.cluster
    foreign = kind_user.engine.containers.create(
        image_of_nodes(), name=f"{name}-control-plane", labels={"io.x-k8s.kind.cluster": name, "io.x-k8s.kind.role": "control-plane"}
    )
    assert name in subprocess.run([tools.path("kind"), "get", "clusters"], capture_output=True, text=True, check=True).stdout
    failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1
    assert "was not made by devloop" in failed.text
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    foreign.reload()
    assert foreign.status == "created"


def image_of_nodes() -> str:
    from devloop.clients.engine import connect
    from devloop.images import Images

    images = Images(Toolchain(), connect())
    return images.reference("node") if images.present("node") else "kindest/node:v1.36.3"


def test_a_host_port_that_is_taken_is_told_before_anything_is_made(kind_user: User) -> None:
    repository = kind_user.init()
    text = (repository / "clusters/local/kind.yaml").read_text()
    port = int(text.partition("hostPort: ")[2].split()[0])
    with closing(socket.create_server(("127.0.0.1", port))):
        failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1
    assert f"the host port {port}" in failed.text
    assert not kind_user.engine.containers.list(all=True, filters={"label": f"io.x-k8s.kind.cluster={kind_user.cluster}"})
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


def test_an_image_that_nobody_has_is_told(kind_user: User) -> None:
    repository = kind_user.init()
    kind_yaml = repository / "clusters/local/kind.yaml"
    kind_yaml.write_text(
        kind_yaml.read_text().replace("- role: control-plane", "- role: control-plane\n    image: localhost:1/nobody/node:v9")
    )
    failed = kind_user.devloop("-C", "demo", "up", "local")
    assert failed.status == 1
    assert "localhost:1/nobody/node:v9" in failed.text
    assert "devloop toolchain images" in failed.text
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


@pytest.mark.parametrize("word", ["cluster", "git server"])
def test_an_interrupted_up_is_continued(kind_user: User, word: str) -> None:
    kind_user.init()
    run = kind_user.start("-C", "demo", "up", "local")
    assert run.stdout
    for line in run.stdout:
        if word in line or "secrets" in line:
            break
    pause = threading.Event()
    while not kind_user.engine.containers.list(filters={"label": f"io.x-k8s.kind.cluster={kind_user.cluster}"}):
        pause.wait(0.1)
    run.send_signal(signal.SIGINT)
    rest, err = run.communicate(timeout=60)
    assert run.returncode == 130, rest + err
    assert not [p for p in psutil.process_iter() if kind_user.cluster in " ".join(_line(p))]
    heals(kind_user)
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


def _line(process: psutil.Process) -> list[str]:
    try:
        found = process.cmdline()
    except psutil.Error:
        return []
    return found if "kind" in " ".join(found[:2]) and "create" in found else []


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


def test_three_nodes_come_up_and_pods_of_different_workers_reach_each_other(kind_user: User) -> None:
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


def test_a_repository_that_brings_its_own_cni_comes_up_on_nodes_that_have_none(kind_user: User) -> None:
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
    assert "nodes become ready once the repository has brought Cilium" in spoken(up)
    assert (
        "10-own.conflist"
        in kind_user.engine.containers.get(f"{kind_user.cluster}-control-plane").exec_run(["ls", "/etc/cni/net.d"]).output.decode()
    )
    assert kind_user.devloop("-C", "demo", "down", "local").status == 0
    assert remains(kind_user) == []


def apply(user: User, manifest: str) -> None:
    argv = [str(Toolchain().path("kubectl")), "apply", "-f", "-"]
    subprocess.run(argv, env=user.env, input=manifest, text=True, check=True, capture_output=True, timeout=60)


def test_both_provisioners_give_the_same_kustomizations_revisions_and_objects(tmp_path: Path) -> None:
    kind_user = User(tmp_path, "kind")
    kind_user.init()
    seen = {}
    try:
        for provisioner in ("embedded", "kind"):
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
    assert seen["embedded"] == seen["kind"]
