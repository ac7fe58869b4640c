"""Failures in a Kind environment are reported and the next `up` repairs them. All tests share one environment."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .conftest import User, remains
from .looking import heals, spoken


def test_a_killed_node_is_restarted(on_kind: User) -> None:
    on_kind.engine.containers.get(f"{on_kind.cluster}-control-plane").kill()
    heals(on_kind)


def test_a_killed_git_server_or_lost_volume_is_recreated(on_kind: User) -> None:
    client, name = on_kind.engine, f"devloop-{on_kind.cluster}-git"
    client.containers.get(name).kill()
    heals(on_kind)
    client.containers.get(name).remove(force=True)
    client.volumes.get(name).remove()
    heals(on_kind)
    assert client.volumes.get(name).attrs["Labels"]["devloop.dev/environment"] == on_kind.cluster


def test_a_changed_definition_is_reported_and_applied_by_recreate(on_kind: User) -> None:
    kind_yaml = on_kind.home / "demo/clusters/local/kind.yaml"
    before = kind_yaml.read_text()
    kind_yaml.write_text(before.replace("10.244.0.0/16", "10.99.0.0/16"))
    try:
        failed = on_kind.devloop("-C", "demo", "up", "local")
        assert failed.status == 1
        assert "networking.podSubnet: 10.244.0.0/16 -> 10.99.0.0/16" in spoken(failed)
        assert "--recreate" in failed.text
        again = on_kind.devloop("-C", "demo", "up", "local", "--recreate")
        assert again.status == 0, again.text
        assert "10.99." in on_kind.kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.podCIDR}")
    finally:
        kind_yaml.write_text(before)
    assert on_kind.devloop("-C", "demo", "up", "local", "--recreate").status == 0


def test_a_crashing_controller_is_reported_with_its_log(on_kind: User) -> None:
    node, port = f"{on_kind.cluster}-control-plane", 9792  # of kustomize-controller's probes on the node
    on_kind.kubectl("-n", "flux-system", "delete", "deployment", "kustomize-controller", "--wait")
    on_kind.kubectl("-n", "flux-system", "wait", "--for=delete", "pod", "-l", "app=kustomize-controller", "--timeout=60s")
    image = on_kind.engine.containers.get(f"devloop-{on_kind.cluster}-git").image
    program = f"import socket\nheld = socket.create_server(('', {port}))\nwhile True: held.accept()"
    holder = on_kind.engine.containers.run(image, ["-c", program], entrypoint=["python3"], network_mode=f"container:{node}", detach=True)
    try:
        failed = on_kind.devloop("-C", "demo", "up", "local")
        assert failed.status == 1, failed.text
        assert "kustomize-controller keeps crashing" in spoken(failed)
        assert "address already in use" in spoken(failed)
    finally:
        holder.remove(force=True)
    heals(on_kind)


def test_a_full_disk_in_the_node_is_reported(on_kind: User) -> None:
    node = on_kind.engine.containers.get(f"{on_kind.cluster}-control-plane")
    ingest = "/var/lib/containerd/io.containerd.content.v1.content/ingest"
    record = next((on_kind.home / "state").glob("devloop/kind@*/images.json"))
    record.unlink()
    assert node.exec_run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", ingest]).exit_code == 0
    try:
        failed = on_kind.devloop("-C", "demo", "up", "local")
        assert failed.status == 1, failed.text
        assert "no space left" in spoken(failed)
        assert "docker system" in spoken(failed)
    finally:
        node.exec_run(["umount", ingest])
    heals(on_kind)


def test_a_read_only_kubeconfig_is_reported_and_nothing_is_lost(on_kind: User) -> None:
    kubeconfig = on_kind.home / "kubeconfig"
    before = kubeconfig.read_text()
    on_kind.kubectl("config", "delete-context", f"kind-{on_kind.cluster}")
    kubeconfig.chmod(0o400)
    try:
        failed = on_kind.devloop("-C", "demo", "up", "local")
        assert failed.status == 1
        assert "read-only" in failed.text
    finally:
        kubeconfig.chmod(0o600)
    heals(on_kind)
    assert f"kind-{on_kind.cluster}" in kubeconfig.read_text()
    assert before


def test_an_engine_that_stops_during_a_run_is_reported(on_kind: User, tmp_path: Path) -> None:
    with relayed(tmp_path / "engine.sock") as cut:
        run = on_kind.start("-C", "demo", "up", "local", DOCKER_HOST=f"unix://{tmp_path}/engine.sock")
        assert run.stdout
        for line in run.stdout:
            if "snapshot" in line:
                break
        cut()
        rest, err = run.communicate(timeout=120)
    assert run.returncode == 1, rest + err
    assert "container engine" in rest + err
    heals(on_kind)


def test_an_environment_in_another_engine_is_reported_and_kept(on_kind: User) -> None:
    claim = next((on_kind.home / "state").rglob("kind@*/owner.json"))
    before = json.loads(claim.read_text())
    claim.write_text(json.dumps(before | {"engine": "elsewhere:/var/lib/docker", "address": "tcp://127.0.0.2:1"}))
    for command in ("up", "status", "down"):
        refused = on_kind.devloop("-C", "demo", command, "local")
        assert refused.status == 1
        assert "in another container engine, at tcp://127.0.0.2:1" in spoken(refused)
    assert on_kind.engine.containers.get(f"{on_kind.cluster}-control-plane").status == "running"
    claim.write_text(json.dumps(before))
    heals(on_kind)


@contextmanager
def relayed(path: Path) -> Iterator[Callable[[], None]]:
    """A proxy of the engine's socket; calling the result stops it."""
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


def test_the_namespace_of_flux_is_put_back_without_its_controllers(on_kind: User) -> None:
    """Nobody is left to remove the finalizers of Kustomizations: the controllers are deleted with the namespace."""
    on_kind.kubectl("delete", "namespace", "flux-system", "--wait=false")
    heals(on_kind)


def test_an_environment_with_a_damaged_record_is_found_and_removed(on_kind: User, tmp_path: Path) -> None:
    """Removes the shared environment: the last test."""
    cluster = on_kind.cluster
    next((on_kind.home / "state").rglob("kind@*/owner.json")).write_text("{")
    listed = on_kind.devloop("env", "list", "--running", cwd=tmp_path)
    assert ["unknown", cluster, "kind", "running", str(on_kind.home / "demo")] in [line.split() for line in listed.out.splitlines()]
    removed = on_kind.devloop("down", cluster, cwd=tmp_path)
    assert removed.status == 0, removed.text
    assert remains(on_kind) == []
